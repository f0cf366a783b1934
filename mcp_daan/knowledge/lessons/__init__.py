"""Lessons: one file each, and the view that people read."""
