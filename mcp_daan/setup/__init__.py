"""What a person runs once: doctor, init."""
