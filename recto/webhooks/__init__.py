"""Webhooks: where a user is told of the end of a job, what is due, and who sends it."""
