"""The demo workspace and the walk through it."""
