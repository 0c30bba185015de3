"""Scenarios whose emitters speak the real wire formats, with the truth kept apart.

A scenario is read by `parse_scenario` or `load_builtin`; `emissions` gives what arrives at the
station, as bytes in order of time; `truth` where everything really is; `to_files` writes both.
"""

from vedette.simulate.catalogue import builtin_names as builtin_names
from vedette.simulate.catalogue import load_builtin as load_builtin
from vedette.simulate.catalogue import synthetic_load as synthetic_load
from vedette.simulate.emitters import Emission as Emission
from vedette.simulate.emitters import emissions as emissions
from vedette.simulate.files import sensor_profiles as sensor_profiles
from vedette.simulate.files import to_files as to_files
from vedette.simulate.parse import parse_scenario as parse_scenario
from vedette.simulate.scenario import Scenario as Scenario
from vedette.simulate.world import Truth as Truth
from vedette.simulate.world import truth as truth
