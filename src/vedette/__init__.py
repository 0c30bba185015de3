"""Vedette: open, strictly defensive early warning against drones.

The rooms and floors of the house are drawn in ``docs/architecture.md``.
"""

__version__ = "0.1.0"
