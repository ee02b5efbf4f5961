"""Answers that come when something happens: waiting for it, following it, and asking once for all who want the same."""
