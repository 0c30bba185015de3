"""By how much sensors are turned and their clocks are off, found while they watch."""
