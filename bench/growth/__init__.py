"""What a call costs when its input grows."""
