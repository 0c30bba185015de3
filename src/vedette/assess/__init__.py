"""Tracks x units -> threats: features, intent, reach, risk, explanation."""

from vedette.assess.assessor import Assessor as Assessor
from vedette.assess.settings import AssessSettings as AssessSettings
from vedette.assess.units import UnitState as UnitState
