"""Cursor on Target (CoT) event XML, version 2.0, as TAK clients and servers speak it on a stream.

bytes <-> `CotEvent`. Sources: the MITRE base-event schema (Version 2.0, case 11-3895), its link,
remarks, contact and track sub-schemas, and the chat and receipt details that ATAK and WinTAK put
beside them (no published schema; see `chat`). Here is the XML stream ("TAK protocol version 0");
version 1, protobuf, is `vedette.wire.tak`. A server that offers it goes on in XML when it gets no
answer.

Contract: `read_event` returns a whole, checked event or raises `CotError`, which names a short
reason to count by and a sentence to show; it never raises anything else. `CotSplitter` finds the
events in a byte stream cut anywhere, in bounded memory and linear time.
"""

from vedette.wire.cot.chat import MessageId as MessageId
from vedette.wire.cot.chat import find_message_id as find_message_id
from vedette.wire.cot.chat import format_message_id as format_message_id
from vedette.wire.cot.chat import message_token as message_token
from vedette.wire.cot.event import Chat as Chat
from vedette.wire.cot.event import CotError as CotError
from vedette.wire.cot.event import CotEvent as CotEvent
from vedette.wire.cot.event import Destination as Destination
from vedette.wire.cot.event import Emergency as Emergency
from vedette.wire.cot.event import Link as Link
from vedette.wire.cot.event import ProtocolControl as ProtocolControl
from vedette.wire.cot.event import Remarks as Remarks
from vedette.wire.cot.event import SensorView as SensorView
from vedette.wire.cot.event import Takv as Takv
from vedette.wire.cot.read import MAX_EVENT_BYTES as MAX_EVENT_BYTES
from vedette.wire.cot.read import read_event as read_event
from vedette.wire.cot.stream import CotSplitter as CotSplitter
from vedette.wire.cot.write import write_event as write_event
