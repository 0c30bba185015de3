"""Elevation models, line of sight, and the lowest height above ground that a sensor sees."""

from vedette.terrain.bench import sweep_work as sweep_work
from vedette.terrain.elevation import Bounds as Bounds
from vedette.terrain.elevation import Elevation as Elevation
from vedette.terrain.elevation import Seam as Seam
from vedette.terrain.elevation import Transform as Transform
from vedette.terrain.elevation import VerticalDatum as VerticalDatum
from vedette.terrain.masks import Mask as Mask
from vedette.terrain.masks import mask as mask
from vedette.terrain.masks import mask_of as mask_of
from vedette.terrain.polar import Antenna as Antenna
from vedette.terrain.polar import Fan as Fan
from vedette.terrain.polar import Sweep as Sweep
from vedette.terrain.polar import lowest_bytes as lowest_bytes
from vedette.terrain.polar import sweep as sweep
from vedette.terrain.reading import read as read
from vedette.terrain.sampling import LocalGrid as LocalGrid
from vedette.terrain.sampling import height_at as height_at
from vedette.terrain.sampling import heights_at as heights_at
from vedette.terrain.sampling import local_grid as local_grid
from vedette.terrain.sight import Point as Point
from vedette.terrain.sight import Sight as Sight
from vedette.terrain.sight import line_of_sight as line_of_sight
from vedette.terrain.synthetic import synthesize as synthesize
from vedette.terrain.tiles import mosaic as mosaic
from vedette.terrain.warming import warm as warm
