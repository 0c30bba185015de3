"""How many frames a CPU second become detections: `vedette bench decode --format NAME`.

The frames are made with our own encoders, are not timed, and are all different. A format is an entry in
``FORMATS`` and one in ``FORMS`` of the module that it names: modules are imported when they are measured,
so that the memory of one format is not that of all.
"""

from importlib import import_module

from vedette.evaluate.bench_decode.figures import Bench
from vedette.model import ConfigError

FORMATS = {
    "odid": "odid",
    "odid-nan": "odid",
    "odid-ble5": "odid",
    "odid-ble4": "odid",
    "lines": "lines",
    "cot": "cot",
    "tak": "cot",
    "sapient": "sapient",
    "sapient-detections": "sapient",
    "beast": "adsb",
    "beast-frames": "adsb",
    "sbs": "adsb",
    "aircraft-json": "adsb",
    "asterix": "asterix",
    "asterix-048": "asterix",
}
"""Name -> the module of this package that measures it."""


def bench_decode(fmt: str, frames: int | None = None) -> dict[str, object]:
    """Measure the decoding of ``frames`` distinct frames; None = as many as give a steady figure.

    Returns ``format``, ``frames``, ``detections`` (``messages`` where only the codec is measured),
    ``frames_per_cpu_s`` and ``peak_rss_mb`` (of the whole process); Open Drone ID adds
    ``single_frame_ms_p50`` and ``single_frame_ms_p99``. Raises ConfigError.
    """
    if fmt not in FORMATS:
        raise ConfigError(f"no format {fmt!r} to decode: choose one of {', '.join(FORMATS)}")
    if frames is not None and frames < 1:
        raise ConfigError(f"at least one frame is needed to measure, not {frames}")
    forms: dict[str, Bench] = import_module(f"{__name__}.{FORMATS[fmt]}").FORMS
    return {"format": fmt} | forms[fmt](frames)
