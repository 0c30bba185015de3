"""TAK protocol version 1: CoT events in protobuf, on streams and in datagrams, and how it is agreed.

bytes <-> `vedette.wire.cot.CotEvent`. Sources: ``protocol.txt`` ("TAK Protocol", payload version 1,
stream and mesh framing, negotiation) and the ``.proto`` files published with it (package
``atakmap.commoncommo.protobuf.v1``), of which takproto's generated classes are used.

A message is turned into the element tree of the XML event that it stands for, and the one reader of
`vedette.wire.cot` judges it: both versions are held to the same rules, and an event means the same in
either. What proto3 cannot tell from absent (a height, an error of zero) is unknown.

Contract: readers return a whole, checked event or raise `vedette.wire.cot.CotError` with a reason to
count by, and nothing else. `TakSplitter` is a `CotSplitter` that also finds protobuf messages: a
server may answer in either, and changes over in the middle of a stream.
"""

from vedette.wire.tak.framing import MAX_PAYLOAD_BYTES as MAX_PAYLOAD_BYTES
from vedette.wire.tak.mesh import Datagram as Datagram
from vedette.wire.tak.mesh import common_version as common_version
from vedette.wire.tak.mesh import read_datagram as read_datagram
from vedette.wire.tak.mesh import write_datagram as write_datagram
from vedette.wire.tak.negotiation import Negotiation as Negotiation
from vedette.wire.tak.negotiation import answer_request as answer_request
from vedette.wire.tak.negotiation import hear as hear
from vedette.wire.tak.negotiation import offer as offer
from vedette.wire.tak.payload import Control as Control
from vedette.wire.tak.payload import Message as Message
from vedette.wire.tak.payload import read_payload as read_payload
from vedette.wire.tak.payload import write_payload as write_payload
from vedette.wire.tak.stream import TakSplitter as TakSplitter
from vedette.wire.tak.stream import write_stream as write_stream
