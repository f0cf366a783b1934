"""Questions, ways of searching, and how well the ways answer."""
