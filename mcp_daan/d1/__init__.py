"""A D1 database that can only be read."""
