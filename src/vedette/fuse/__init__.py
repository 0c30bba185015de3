"""Detections -> Tracks: motion and measurement models, association, births, identity, late data."""

from vedette.fuse.settings import FuseSettings as FuseSettings
from vedette.fuse.tracker import AIRCRAFT_LETTER as AIRCRAFT_LETTER
from vedette.fuse.tracker import Tracker as Tracker
from vedette.fuse.tracker import warm as warm
