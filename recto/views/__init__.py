"""What the Database is asked for without a change: jobs, pages and reports as plain values that outlive their session."""
