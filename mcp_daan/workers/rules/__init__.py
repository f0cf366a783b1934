"""What may be wrong with a configuration, one module a subject."""
