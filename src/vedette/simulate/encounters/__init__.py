"""Encounters: one short scene each, somebody's flight near six protected units, with the answer beside it.

`encounter` makes any of them from the name of its collection and its number alone. The collections
differ in their seeds and in the ranges their figures are drawn from, and `grading` and `gate` hold behaviours
that `training` never shows. `write` puts many of them into one folder of the interchange form.
"""

from vedette.simulate.encounters.label import Label as Label
from vedette.simulate.encounters.scenes import COLLECTIONS as COLLECTIONS
from vedette.simulate.encounters.scenes import Encounter as Encounter
from vedette.simulate.encounters.scenes import Flight as Flight
from vedette.simulate.encounters.scenes import Setting as Setting
from vedette.simulate.encounters.scenes import encounter as encounter
from vedette.simulate.encounters.writing import write as write
