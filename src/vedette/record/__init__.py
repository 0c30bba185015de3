"""The record: an append-only, sealed, chained event log, and the proof that it is unaltered."""

from vedette.record.errors import BadEvent as BadEvent
from vedette.record.errors import KeyDestroyed as KeyDestroyed
from vedette.record.errors import KeyHeld as KeyHeld
from vedette.record.errors import LogBusy as LogBusy
from vedette.record.errors import LogError as LogError
from vedette.record.errors import LogFull as LogFull
from vedette.record.errors import LogLocked as LogLocked
from vedette.record.errors import SealBroken as SealBroken
from vedette.record.log import EventStream as EventStream
from vedette.record.log import Head as Head
from vedette.record.log import Log as Log
from vedette.record.recovery import Recovery as Recovery
from vedette.record.recovery import recover as recover
from vedette.record.reserve import ReserveFile as ReserveFile
from vedette.record.seal import Keyring as Keyring
from vedette.record.verify import Fault as Fault
from vedette.record.verify import Verdict as Verdict
from vedette.record.verify import verify as verify
