"""Time of day -> Unix time. ASTERIX sends seconds since midnight UTC and never the date."""

import math

from vedette.wire.asterix.errors import AsterixError
from vedette.wire.asterix.tables import DAY_S


def unix_time(time_of_day_s: float, received: float) -> float:
    """The Unix time nearest to ``received`` (Unix seconds) that has this time of day.

    Right on both sides of midnight while report and receiver differ by less than half a day. A sender
    whose clock is wrong, or set to local time, gets a time that is wrong by as much: compare with
    ``received``. Raises AsterixError (``time-of-day``): outside 0 to 86400, or not finite.
    """
    if not 0.0 <= time_of_day_s < DAY_S or not math.isfinite(received):
        raise AsterixError("time-of-day", f"{time_of_day_s} s received at {received} is no time of day")
    return time_of_day_s + DAY_S * round((received - time_of_day_s) / DAY_S)
