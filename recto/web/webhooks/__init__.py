"""Webhooks in the API: their addresses, their secrets, their messages."""
