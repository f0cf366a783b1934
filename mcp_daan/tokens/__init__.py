"""Sealed values, keys, and verdicts on connections."""
