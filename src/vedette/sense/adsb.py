"""Manned aircraft: what receivers of ADS-B hear or have decoded -> Detections.

`BeastAdapter` takes frames and checks, decodes and places them itself; `SbsAdapter` and `TableAdapter`
take what a receiver has decoded. All of it serves to tell aircraft from drones, and none of it is
authenticated: whoever has a transmitter chooses address, position and category.

Choices:

- Claim: scheme ``icao``, six lower-case hexadecimal digits. An address that is none of ICAO's (TIS-B and
  ADS-R of unknown aircraft, ground vehicles, anonymous mode; all zeros or ones) identifies nothing that
  outlasts the flight: no claim, but ``signal.emitter`` with the "~" that dump1090 writes before it.
- Time: that of receipt for Beast and SBS. Beast counts ticks of a clock that begins anywhere; SBS writes
  local time without its zone. A table states its time and the age of each position; where its clock is
  out of tolerance, `SenderClock.timed`, and the accuracy is widened by speed times doubt. Positions
  older than 8 s, and those that a table repeats, are no detections.
- Place: a Beast position needs an even and an odd message and a third that agrees
  (`PositionResolver`); no position is decoded relative to the site alone. Surface positions repeat every
  90 degrees and are taken to be the nearest to the site, which is right for every receiver within
  thousands of kilometres of it. Beyond 400 km from the site: refused and counted.
- Height: above the ellipsoid where the aircraft says so, directly or as the difference to its barometric
  altitude (not older than 15 s), else barometric. A table's ``alt_geom`` is the former.
- Velocity only if ground speed, track and vertical rate are all known, and not older than 3 s.
- Accuracy: the 95 % radius of NACp, else the containment radius of the type code, NUCp or ``rc``, over
  2.45 (Rayleigh). A containment radius holds far more than 95 %, so that one errs on the wide side. No
  statement: no sigma.
- Integrity: never authenticated. The parity was good where we checked it (Beast); of what a receiver
  decoded we do not know whether it checked, repaired or guessed.
- Signal: ``1090es`` where we have the frames; ``1090/978`` where a receiver may have mixed in UAT.
- Level: decibels below full scale are not dBm: ``extra["adsb.rssi_dbfs"]``. On the ground:
  ``extra["adsb.on_ground"]``. Frames that a multilateration server made up (``mlat-result``) are left out.
- One detection of an aircraft in a second, always of its freshest position.

``counts`` of an adapter: ``mode-s``, ``mode-ac``, ``messages``, ``tables`` (what came), ``detections``,
``held-too-long``, ``position-old``, ``clock-unsure`` (what became of it), and the reasons in `BAD`.
"""

from vedette.sense._adsb_beast import BeastAdapter as BeastAdapter
from vedette.sense._adsb_beast import warm as warm
from vedette.sense._adsb_detection import BELIEFS as BELIEFS
from vedette.sense._adsb_detection import beliefs_of as beliefs_of
from vedette.sense._adsb_text import TOLERATED_S as TOLERATED_S
from vedette.sense._adsb_text import SbsAdapter as SbsAdapter
from vedette.sense._adsb_text import TableAdapter as TableAdapter
from vedette.sense.quality import Quality

BAD = (
    "bad-crc",
    "malformed:",
    "mlat-result",
    "position-jumped",
    "position-mismatched",
    "beyond-reach",
    "aircraft-forgotten",
    "entries-shed",
    "clock-off",
)
"""Beginnings of the counts that a technician should see."""

QUALITY = Quality(
    name="ADS-B (Mode S extended squitter, TIS-B, ADS-R)",
    standard="RTCA DO-260B; Mode-S Beast binary, SBS BaseStation, aircraft.json of dump1090 and readsb",
    schemes=("beast+tcp", "beast+tcp-listen", "beast", "sbs+tcp", "sbs", "aircraft+http", "aircraft"),
    tested=(
        "a minute of real reception (11 aircraft) against the golden SBS output, within 30 m",
        "dump1090-mutability (Debian), fed that reception: its SBS port and its aircraft.json",
    ),
    encoder="Beast frames, squitters, SBS lines",
    fuzzer="fuzz_adsb.py",
    bench="beast",
    uncovered=(
        "coarse TIS-B and TIS-B management messages (DF 18, CF 3 and 4)",
        "readsb has not been had as a counterpart: its aircraft.json is read by its documentation",
        "the geometric vertical accuracy (GVA) and the velocity accuracy (NACv) are not used",
        "the old aircraft.json does not tell ground speed from airspeed; it is taken for ground speed",
        "UAT (978 MHz) only as far as a receiver's aircraft.json carries it",
    ),
)
