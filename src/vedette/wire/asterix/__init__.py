"""ASTERIX, the surveillance format of EUROCONTROL: radars (048, 034, 015), system tracks (062), direction
finders (205) and UAS identification (129).

`decode(datagram)` gives the messages of the good blocks and a reason for every other one; `encode` is its
inverse; `preload` takes the second that the first block would otherwise wait. libasterix (MIT) knows the
layouts; ranges, units and refusals are ours.
"""

from vedette.wire.asterix.clock import unix_time as unix_time
from vedette.wire.asterix.codec import MAX_DATAGRAM_BYTES as MAX_DATAGRAM_BYTES
from vedette.wire.asterix.codec import MAX_RECORDS as MAX_RECORDS
from vedette.wire.asterix.codec import decode as decode
from vedette.wire.asterix.codec import decode_block as decode_block
from vedette.wire.asterix.codec import encode as encode
from vedette.wire.asterix.codec import summary as summary
from vedette.wire.asterix.errors import AsterixError as AsterixError
from vedette.wire.asterix.messages import AsterixMessage as AsterixMessage
from vedette.wire.asterix.messages import Datagram as Datagram
from vedette.wire.asterix.messages import DirectionReport as DirectionReport
from vedette.wire.asterix.messages import IncsReport as IncsReport
from vedette.wire.asterix.messages import Message as Message
from vedette.wire.asterix.messages import RadarService as RadarService
from vedette.wire.asterix.messages import RadarTarget as RadarTarget
from vedette.wire.asterix.messages import Rejection as Rejection
from vedette.wire.asterix.messages import SystemTrack as SystemTrack
from vedette.wire.asterix.messages import UasIdentification as UasIdentification
from vedette.wire.asterix.specification import preload as preload
