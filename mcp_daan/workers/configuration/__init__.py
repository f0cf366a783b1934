"""What the configuration of a Worker says, and where it stands."""
