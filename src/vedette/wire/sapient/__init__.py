"""SAPIENT messages: BSI Flex 335 v2.0, the counter-drone interface standard of the UK and of NATO.

bytes <-> `SapientMessage`. On TCP each message is a protobuf behind its length, a little-endian
unsigned 32-bit number. The message classes are those of the package sapient-proto, generated from
the published proto files; which fields are mandatory and which are identifiers stands in the options
of those files, and `validate` reads the rules from there, with a few that options cannot express.

Contract: `read_message` and `read_json` return a message or raise `SapientError`; nothing else is
raised on any input. A message that was read is not yet a good one: `validate` names each fault with
the path of its field, and only a message without faults may be used. Whether the timestamp can be
true is a question about the receiver's clock too, so it is asked apart, with `judge_time`.

Sources: BSI Flex 335 v2.0 (2024) and its proto files; the framing and the conformance rules as
implemented by Dstl's Apex middleware and BSI Flex 335 v2 Test Harness.
"""

from vedette.wire.sapient.faults import Fault as Fault
from vedette.wire.sapient.faults import SapientError as SapientError
from vedette.wire.sapient.framing import MAX_MESSAGE_BYTES as MAX_MESSAGE_BYTES
from vedette.wire.sapient.framing import FrameSplitter as FrameSplitter
from vedette.wire.sapient.framing import SapientSplitter as SapientSplitter
from vedette.wire.sapient.framing import write_frame as write_frame
from vedette.wire.sapient.messages import SapientMessage as SapientMessage
from vedette.wire.sapient.messages import read_json as read_json
from vedette.wire.sapient.messages import read_message as read_message
from vedette.wire.sapient.messages import write_json as write_json
from vedette.wire.sapient.messages import write_message as write_message
from vedette.wire.sapient.places import ALTITUDE_ABOVE as ALTITUDE_ABOVE
from vedette.wire.sapient.places import Geographic as Geographic
from vedette.wire.sapient.places import Utm as Utm
from vedette.wire.sapient.places import read_location as read_location
from vedette.wire.sapient.rules import SUPPORTED_ICD_VERSIONS as SUPPORTED_ICD_VERSIONS
from vedette.wire.sapient.rules import is_ulid as is_ulid
from vedette.wire.sapient.rules import is_uuid4 as is_uuid4
from vedette.wire.sapient.times import TimeVerdict as TimeVerdict
from vedette.wire.sapient.times import TimeWindow as TimeWindow
from vedette.wire.sapient.times import judge_time as judge_time
from vedette.wire.sapient.times import timestamp_s as timestamp_s
from vedette.wire.sapient.validate import validate as validate
