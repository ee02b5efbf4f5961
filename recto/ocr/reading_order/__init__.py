"""The order in which a person reads what was recognised: rows of tables kept together, columns one after another (order.py)."""
