"""Common Alerting Protocol 1.2 (OASIS Standard, 1 July 2010), both ways.

bytes <-> `CapAlert`. The reader holds a message to the OASIS schema and to the rules of the standard that a
schema cannot say (clause 3.2, the data dictionary); each fault names its line and its remedy. Contract:
`read_alert` returns a whole, checked message or raises `CapError`, and nothing else; `examine` returns all
faults; `write_alert` writes nothing that `read_alert` would refuse.

Stricter than the schema, on purpose: UTF-8 or UTF-16 only, no document type, no ``xsi:type`` and no
``xsi:nil``, the root element is ``alert``, at most `MAX_ALERT_BYTES` and `MAX_DEPTH`.

`verify_alert` and `sign_alert` are the enveloped XML signature of clause 3.3.4.1; `ipaws_faults` holds a
message to the profile of the public gateway of the United States.
"""

from vedette.wire.cap.faults import CapError as CapError
from vedette.wire.cap.faults import Fault as Fault
from vedette.wire.cap.ipaws import ipaws_faults as ipaws_faults
from vedette.wire.cap.message import Area as Area
from vedette.wire.cap.message import CapAlert as CapAlert
from vedette.wire.cap.message import Circle as Circle
from vedette.wire.cap.message import Info as Info
from vedette.wire.cap.message import Named as Named
from vedette.wire.cap.message import Point as Point
from vedette.wire.cap.message import Reference as Reference
from vedette.wire.cap.message import Resource as Resource
from vedette.wire.cap.read import Examined as Examined
from vedette.wire.cap.read import examine as examine
from vedette.wire.cap.read import read_alert as read_alert
from vedette.wire.cap.signature import Seal as Seal
from vedette.wire.cap.signature import sign_alert as sign_alert
from vedette.wire.cap.signature import verify_alert as verify_alert
from vedette.wire.cap.times import cap_time as cap_time
from vedette.wire.cap.times import unix_seconds as unix_seconds
from vedette.wire.cap.tree import MAX_ALERT_BYTES as MAX_ALERT_BYTES
from vedette.wire.cap.tree import MAX_DEPTH as MAX_DEPTH
from vedette.wire.cap.write import write_alert as write_alert
