"""Migrations tried on a copy."""
