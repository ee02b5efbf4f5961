"""The Database itself: connections, transactions, its clock, its errors, and that something was committed."""
