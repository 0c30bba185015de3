"""Threats -> alerts: alarm states, addressing, wording, escalation. Decides, never sends."""

from vedette.warn.alarm_states import AlarmError as AlarmError
from vedette.warn.book import Removal as Removal
from vedette.warn.members import Bodies as Bodies
from vedette.warn.members import Body as Body
from vedette.warn.members import Witness as Witness
from vedette.warn.rates import DeskRates as DeskRates
from vedette.warn.settings import WarnSettings as WarnSettings
from vedette.warn.silences import Silence as Silence
from vedette.warn.warner import Warner as Warner
