"""Why do I see nothing? Looks at what a station needs, and listens to its feeds as the station would.

`examine` gives one finding a line, each with what to do. It looks first (clock, disk, record, console,
addresses, certificates), and then, if it may listen and no station runs, lets the real peers of the
configuration run beside a hub that only counts. A running station is asked for its own view instead: its
ports are taken by itself, and it knows more.
"""

from vedette.station.doctor.examine import examine as examine
from vedette.station.doctor.findings import Finding as Finding
from vedette.station.doctor.findings import Verdict as Verdict
