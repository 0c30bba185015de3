"""Detections -> Tracks: motion and measurement models, association, births, identity, late data."""

from vedette.fuse.sensing.ground import Ground as Ground
from vedette.fuse.sensing.ground import Grounds as Grounds
from vedette.fuse.sensing.ground import ground_of as ground_of
from vedette.fuse.sensing.ground import no_ground as no_ground
from vedette.fuse.settings import FuseSettings as FuseSettings
from vedette.fuse.tracker import AIRCRAFT_LETTER as AIRCRAFT_LETTER
from vedette.fuse.tracker import Tracker as Tracker
from vedette.fuse.warming import warm as warm
