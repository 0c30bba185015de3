"""Fits the risk model of `vedette.assess` to encounters of known outcome (docs/threat-model.md)."""
