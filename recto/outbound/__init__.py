"""Requests that Recto itself sends to addresses that users name: whether it may, and how."""
