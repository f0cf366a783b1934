"""Find sections by words."""
