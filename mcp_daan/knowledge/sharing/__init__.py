"""Lessons among several machines, through the remote of the branch."""
