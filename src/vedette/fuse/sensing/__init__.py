"""What the tracker knows of each sensor: where it sees, what it misses and invents, who vouches for it."""
