"""ADS-B and what receivers of it put out: Beast binary, SBS lines, aircraft.json, extended squitters.

`BeastBatcher` and `squitters` for whole reads of a live stream, `BeastSplitter` and `decode` for one
frame at a time, `PositionResolver` from CPR messages to places, `read_sbs` and `read_aircraft_json`
for receivers that have decoded already; `encode`, `encode_beast` and `write_sbs` the other way.
Nothing of it is authenticated: whoever has a transmitter chooses the address and the position.
"""

from vedette.wire.adsb.aircraft_json import Aircraft as Aircraft
from vedette.wire.adsb.aircraft_json import AircraftTable as AircraftTable
from vedette.wire.adsb.aircraft_json import read_aircraft_json as read_aircraft_json
from vedette.wire.adsb.beast import MLAT_RESULT_TICKS as MLAT_RESULT_TICKS
from vedette.wire.adsb.beast import TICKS_PER_S as TICKS_PER_S
from vedette.wire.adsb.beast import BeastCounters as BeastCounters
from vedette.wire.adsb.beast import BeastFrame as BeastFrame
from vedette.wire.adsb.beast import BeastSplitter as BeastSplitter
from vedette.wire.adsb.beast import encode_beast as encode_beast
from vedette.wire.adsb.beast import rssi_dbfs as rssi_dbfs
from vedette.wire.adsb.cpr import Place as Place
from vedette.wire.adsb.kernel import BeastBatch as BeastBatch
from vedette.wire.adsb.kernel import BeastBatcher as BeastBatcher
from vedette.wire.adsb.kernel import Squitters as Squitters
from vedette.wire.adsb.kernel import is_squitter as is_squitter
from vedette.wire.adsb.kernel import squitters as squitters
from vedette.wire.adsb.messages import AirbornePosition as AirbornePosition
from vedette.wire.adsb.messages import AirVelocity as AirVelocity
from vedette.wire.adsb.messages import GroundVelocity as GroundVelocity
from vedette.wire.adsb.messages import Identification as Identification
from vedette.wire.adsb.messages import Message as Message
from vedette.wire.adsb.messages import OperationalStatus as OperationalStatus
from vedette.wire.adsb.messages import Other as Other
from vedette.wire.adsb.messages import Source as Source
from vedette.wire.adsb.messages import Squitter as Squitter
from vedette.wire.adsb.messages import SurfacePosition as SurfacePosition
from vedette.wire.adsb.messages import containment_radius_m as containment_radius_m
from vedette.wire.adsb.messages import position_accuracy_m as position_accuracy_m
from vedette.wire.adsb.parity import AdsbEncodeError as AdsbEncodeError
from vedette.wire.adsb.parity import AdsbError as AdsbError
from vedette.wire.adsb.parity import Parity as Parity
from vedette.wire.adsb.parity import judge as judge
from vedette.wire.adsb.resolver import PositionResolver as PositionResolver
from vedette.wire.adsb.resolver import ResolverCounters as ResolverCounters
from vedette.wire.adsb.sbs import SbsMessage as SbsMessage
from vedette.wire.adsb.sbs import SbsSplitter as SbsSplitter
from vedette.wire.adsb.sbs import read_sbs as read_sbs
from vedette.wire.adsb.sbs import write_sbs as write_sbs
from vedette.wire.adsb.squitter import adsb as adsb
from vedette.wire.adsb.squitter import decode as decode
from vedette.wire.adsb.squitter import decode_message as decode_message
from vedette.wire.adsb.squitter import encode as encode
