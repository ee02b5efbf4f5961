"""Traces from upload to result, where they are asked for."""
