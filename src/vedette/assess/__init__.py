"""Tracks x units -> threats: features, intent, reach, risk, explanation."""

from vedette.assess.assessor import Assessor as Assessor
from vedette.assess.features import FEATURES as FEATURES
from vedette.assess.features import Feature as Feature
from vedette.assess.model import Model as Model
from vedette.assess.model import read as read_model
from vedette.assess.settings import AssessSettings as AssessSettings
from vedette.assess.units import UnitState as UnitState
from vedette.assess.warming import warm as warm

__all__ = ["FEATURES", "AssessSettings", "Assessor", "Feature", "Model", "UnitState", "read_model", "warm"]
