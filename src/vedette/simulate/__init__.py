"""Scenarios whose emitters speak the real wire formats, with the truth kept apart.

A scenario is read by `parse_scenario` or `load_builtin`; `emissions` gives what receivers and phones hand
over, as bytes in order of time; `detections` what all sensors report, `unit_reports` what the units do;
`truth` where everything really is; `to_files` writes them all.
"""

from vedette.simulate.catalogue import builtin_names as builtin_names
from vedette.simulate.catalogue import load_builtin as load_builtin
from vedette.simulate.catalogue import synthetic_attack as synthetic_attack
from vedette.simulate.catalogue import synthetic_load as synthetic_load
from vedette.simulate.emitters import Emission as Emission
from vedette.simulate.emitters import emissions as emissions
from vedette.simulate.files import sensor_profiles as sensor_profiles
from vedette.simulate.files import to_files as to_files
from vedette.simulate.parse import parse_scenario as parse_scenario
from vedette.simulate.scenario import Scenario as Scenario
from vedette.simulate.sensing.detections import arrivals as arrivals
from vedette.simulate.sensing.detections import detections as detections
from vedette.simulate.sensing.detections import inputs as inputs
from vedette.simulate.sensing.mixes import MIXES as MIXES
from vedette.simulate.sensing.mixes import mix as mix
from vedette.simulate.sensing.mixes import radio_silent as radio_silent
from vedette.simulate.sensing.units import unit_reports as unit_reports
from vedette.simulate.sensing.wire.sending import wire_emissions as wire_emissions
from vedette.simulate.world import Truth as Truth
from vedette.simulate.world import story as story
from vedette.simulate.world import truth as truth
