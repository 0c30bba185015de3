"""What happened: replay of a log through the core."""
