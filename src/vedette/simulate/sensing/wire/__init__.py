"""Simulated sensors in the formats of real ones: what their makers' boxes would send."""
