"""Markdown, sections, search, lessons, branches, drift."""
