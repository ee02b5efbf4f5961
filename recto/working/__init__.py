"""What the Worker's loop (recto/worker.py) is made of, and what a Worker does beside it."""
