"""What documents say about databases."""
