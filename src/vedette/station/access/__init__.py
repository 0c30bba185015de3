"""Access: who is there, who may do what, and the site's own certificates. docs/access.md is the guide.

The console and the peers need `Doorkeeper` (what somebody shows -> who it is), `Refused`, and `allowed`.
"""

from vedette.station.access.doorkeeper import Attempt as Attempt
from vedette.station.access.doorkeeper import Doorkeeper as Doorkeeper
from vedette.station.access.doorkeeper import SignedIn as SignedIn
from vedette.station.access.permissions import About as About
from vedette.station.access.permissions import allowed as allowed
from vedette.station.access.principals import Authenticated as Authenticated
from vedette.station.access.principals import Principal as Principal
from vedette.station.access.refusal import Refused as Refused
from vedette.station.access.secret import Secret as Secret
