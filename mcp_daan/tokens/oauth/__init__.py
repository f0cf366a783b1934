"""Does an OAuth portal keep what the specifications ask of it? Looked at from outside, and never logged in to."""
