"""Threats -> alerts: alarm states, addressing, wording, escalation. Decides, never sends."""

from vedette.warn.alarm_states import AlarmError as AlarmError
from vedette.warn.held import Witness as Witness
from vedette.warn.settings import WarnSettings as WarnSettings
from vedette.warn.warner import Warner as Warner
