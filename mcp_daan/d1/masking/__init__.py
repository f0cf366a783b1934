"""Which columns hold secrets, and which results draw on them."""
