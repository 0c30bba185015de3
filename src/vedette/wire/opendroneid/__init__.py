"""Open Drone ID (ASTM F3411-22a, ASD-STAN prEN 4709-002): messages <-> bytes, both directions.

`decode` and `encode` for one message, `pack` and `unpack` for message packs, `AuthAssembler` for
paged authentication data, `kernel` for whole batches of captured frames at once.
"""

from vedette.wire.opendroneid.auth import AuthAssembler as AuthAssembler
from vedette.wire.opendroneid.auth import Authentication as Authentication
from vedette.wire.opendroneid.auth import auth_pages as auth_pages
from vedette.wire.opendroneid.codec import decode as decode
from vedette.wire.opendroneid.codec import decode_single as decode_single
from vedette.wire.opendroneid.codec import encode as encode
from vedette.wire.opendroneid.codec import pack as pack
from vedette.wire.opendroneid.codec import pack_entries as pack_entries
from vedette.wire.opendroneid.codec import unpack as unpack
from vedette.wire.opendroneid.messages import AuthPage as AuthPage
from vedette.wire.opendroneid.messages import BasicId as BasicId
from vedette.wire.opendroneid.messages import Location as Location
from vedette.wire.opendroneid.messages import Message as Message
from vedette.wire.opendroneid.messages import MessagePack as MessagePack
from vedette.wire.opendroneid.messages import OperatorId as OperatorId
from vedette.wire.opendroneid.messages import SelfId as SelfId
from vedette.wire.opendroneid.messages import Single as Single
from vedette.wire.opendroneid.messages import System as System
from vedette.wire.opendroneid.tables import IdType as IdType
from vedette.wire.opendroneid.tables import MessageType as MessageType
from vedette.wire.opendroneid.tables import OperatorLocationType as OperatorLocationType
from vedette.wire.opendroneid.tables import Status as Status
from vedette.wire.opendroneid.tables import UaType as UaType
