"""What is kept of users besides their accounts (recto/accounts.py): who they are elsewhere, and what they may."""
