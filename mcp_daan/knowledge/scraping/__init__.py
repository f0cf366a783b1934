"""Pages of allow-listed origins, kept as markdown."""
