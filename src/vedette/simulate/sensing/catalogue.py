"""`catalogue.toml`: performance of sensors and signatures of targets, each figure with source and grade.

A number without a source or a grade is refused, and so is one that cannot be; the message names file and
line. Models and signatures come out as plain structs of floats, and `provenance` says where each figure is
from, so that a planner can print its table of assumptions.
"""

import re
from functools import cache
from importlib import resources
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta, Struct

from vedette.model.detection import NonNegative, ObjectClass, Positive
from vedette.model.strict import FieldError, decode_toml

FILE = "catalogue.toml"
Grade = Literal["A", "B", "C"]
Share = Annotated[float, Meta(gt=0.0, lt=1.0)]
Decibel = Annotated[float, Meta(ge=-300.0, le=300.0)]
Degrees = Annotated[float, Meta(ge=-90.0, le=90.0)]
Width = Annotated[float, Meta(gt=0.0, le=360.0)]
Shortest = Annotated[float, Meta(ge=0.05, le=60.0)]

_WHERE = re.compile(r" - at `\$\.?([^`]*)`$")
_UNKNOWN = re.compile(r"unknown field `([^`]*)`")


class Figure(Struct, frozen=True, forbid_unknown_fields=True):
    """One figure: its value, the key of its source in ``[source]``, and its grade."""

    value: float
    source: str
    grade: Grade


class Model(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="type"):
    """What all sensors that look by themselves have: one scan each ``period_s``, delays on the way."""

    description: str = ""


class Scanner(Model, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``most_pd``: the best probability of detection, since no scan is without disturbance."""

    period_s: Shortest
    most_pd: Share
    most_range_m: Positive
    sigma_azimuth_deg: Positive
    clutter_per_scan: NonNegative
    latency_s: NonNegative
    jitter_s: NonNegative


class Radar(Scanner, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="radar"):
    """``reference_*``: a target of that cross-section is seen with that probability at that range, at the
    false alarm probability ``false_alarm`` of a cell. ``rotates``: a plot has the time at which the beam
    passed. ``raised``: it measures elevation. ``least_rate_mps``: what moves slower along the beam is
    filtered out with the ground."""

    rotates: bool
    raised: bool
    frequency_mhz: Positive
    reference_range_m: Positive
    reference_rcs_dbsm: Decibel
    reference_pd: Share
    false_alarm: Share
    least_range_m: Positive
    azimuth_width_deg: Width
    elevation_from_deg: Degrees
    elevation_to_deg: Degrees
    sigma_range_m: Positive
    sigma_elevation_deg: Positive | None = None
    sigma_rate_mps: Positive | None = None
    least_rate_mps: NonNegative = 0.0
    most_rate_mps: Positive = 100.0
    classified_right: Share | None = None

    def fault(self) -> tuple[str, str] | None:
        """(field, why) of what cannot be, beyond what the types say."""
        if self.false_alarm >= self.reference_pd:
            return "false_alarm", "a radar that detects no better than it errs is no radar"
        if self.raised != (self.sigma_elevation_deg is not None):
            return "raised", "sigma_elevation_deg belongs to a radar that measures elevation, and to no other"
        return _ordered(self, "least_range_m", "most_range_m") or _ordered(
            self, "elevation_from_deg", "elevation_to_deg"
        )


class Finder(Scanner, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="direction-finder"):
    """``sigma_azimuth_deg`` holds for a signal ``strong_db`` above ``sensitivity_dbm``; a weaker one is
    measured worse. ``fading_db``: one sigma of the log-normal fading."""

    sensitivity_dbm: Decibel
    gain_dbi: Decibel
    lowest_mhz: Positive
    highest_mhz: Positive
    fading_db: Positive
    strong_db: Positive

    def fault(self) -> tuple[str, str] | None:
        """(field, why) of what cannot be."""
        return _ordered(self, "lowest_mhz", "highest_mhz")


class Acoustic(Scanner, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="acoustic-array"):
    """A target is heard if its level at the array, with the array's ``gain_db``, is ``needed_db`` above the
    noise. Noise: ``ambient_db``, and ``wind_db_per_mps`` more for each m/s of wind above ``calm_mps``.
    ``spread_db``: one sigma of what the way of the sound adds or takes."""

    ambient_db: Decibel
    gain_db: Decibel
    needed_db: Decibel
    spread_db: Positive
    wind_db_per_mps: NonNegative
    calm_mps: NonNegative
    absorption_db_per_m: NonNegative
    frequency_hz: Positive
    sigma_elevation_deg: Positive

    def fault(self) -> tuple[str, str] | None:
        """(field, why) of what cannot be."""
        return None


class Camera(Scanner, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="camera"):
    """A camera on a mount that sweeps its sector once each ``period_s``. ``*_cycles``: line pairs across the
    target with which half of the targets are detected, and recognised."""

    focal_mm: Positive
    pitch_um: Positive
    detect_cycles: Positive
    recognise_cycles: Positive
    extinction_per_km: NonNegative
    least_range_m: Positive
    azimuth_width_deg: Width
    elevation_from_deg: Degrees
    elevation_to_deg: Degrees
    sigma_elevation_deg: Positive
    classified_right: Share

    def fault(self) -> tuple[str, str] | None:
        """(field, why) of what cannot be."""
        return (
            _ordered(self, "least_range_m", "most_range_m")
            or _ordered(self, "elevation_from_deg", "elevation_to_deg")
            or _ordered(self, "detect_cycles", "recognise_cycles")
        )


class RemoteIdReceiver(Model, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="remote-id"):
    """As a ``[[receiver]]``: half of what is heard nearby is heard at ``range_m``."""

    range_m: Positive
    near_share: Share
    gain_dbi: Annotated[float, Meta(ge=-10.0, le=30.0)]
    fading_db: NonNegative

    def fault(self) -> tuple[str, str] | None:
        """(field, why) of what cannot be."""
        return None


class AdsbReceiver(Model, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="adsb"):
    """Hears half of what it hears nearby at ``range_m``."""

    range_m: Positive
    near_share: Share
    fading_db: NonNegative

    def fault(self) -> tuple[str, str] | None:
        """(field, why) of what cannot be."""
        return None


AnyModel = Radar | Finder | Acoustic | Camera | RemoteIdReceiver | AdsbReceiver


class Signature(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What there is to be sensed of a body. ``rf_dbm``: radiated power on ``rf_mhz``; None = silent.
    ``level_db``: sound pressure at 1 m; None = quiet. ``adsb``: its emitter category, if it transmits.
    ``looks_like``: its true class."""

    looks_like: ObjectClass
    rcs_dbsm: Annotated[float, Meta(ge=-60.0, le=60.0)]
    size_m: Annotated[float, Meta(gt=0.0, le=200.0)]
    level_db: Annotated[float, Meta(ge=0.0, le=200.0)] | None = None
    rf_dbm: Annotated[float, Meta(ge=-60.0, le=80.0)] | None = None
    rf_mhz: Positive | None = None
    adsb: Annotated[str, Meta(pattern="^[A-C][0-7]$")] | None = None

    def fault(self) -> tuple[str, str] | None:
        """(field, why) of what cannot be."""
        if (self.rf_dbm is None) != (self.rf_mhz is None):
            return "rf_dbm", "power and frequency of an emission belong together"
        return None


class Catalogue(Struct, frozen=True):
    """All entries by name. ``provenance``: ``model.NAME.FIGURE`` -> figure with source and grade."""

    models: dict[str, AnyModel]
    signatures: dict[str, Signature]
    sources: dict[str, str]
    provenance: dict[str, Figure]


class _Raw(Struct, forbid_unknown_fields=True):
    format: Literal[1]
    source: dict[str, str]
    model: dict[str, dict[str, Any]]
    signature: dict[str, dict[str, Any]]


def read_catalogue(text: str | bytes, source: str) -> Catalogue:
    """Read and check a catalogue. Raises ConfigError naming ``source``, line and field."""
    found: list[Catalogue] = []
    decode_toml(text, _Raw, source, lambda raw: found.append(_checked(raw)))
    return found[0]


@cache
def catalogue() -> Catalogue:
    """The catalogue that comes with Vedette."""
    text = (resources.files("vedette.simulate") / FILE).read_bytes()
    return read_catalogue(text, FILE)


def model_of(name: str, override: dict[str, float] | None = None) -> AnyModel:
    """A model by its name, with figures replaced. Raises ValueError for a name or figure that cannot be."""
    models = catalogue().models
    if name not in models:
        raise ValueError(f"no sensor model {name!r} in the catalogue; there are {', '.join(sorted(models))}")
    if not override:
        return models[name]
    try:
        changed: AnyModel = msgspec.convert(msgspec.to_builtins(models[name]) | override, AnyModel)
    except msgspec.ValidationError as error:
        words = ": ".join(filter(None, _place_and_words(error)))
        figures = (key for key, value in msgspec.to_builtins(models[name]).items() if _is_figure(value))
        known = f"; its figures are {', '.join(figures)}" if _UNKNOWN.search(str(error)) else ""
        raise ValueError(f"override of {name}: {words}{known}") from None
    fault = changed.fault()
    if fault is not None:
        raise ValueError(f"override of {name}: {fault[0]}: {fault[1]}")
    return changed


def _is_figure(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def signature_of(name: str) -> Signature | None:
    """A signature by the name of an actor's kind, or another; None where nothing flies."""
    return catalogue().signatures.get(name)


def _checked(raw: _Raw) -> Catalogue:
    provenance: dict[str, Figure] = {}
    models = {
        name: _entry(f"model.{name}", entry, AnyModel, raw.source, provenance)
        for name, entry in raw.model.items()
    }
    signatures = {
        name: _entry(f"signature.{name}", entry, Signature, raw.source, provenance)
        for name, entry in raw.signature.items()
    }
    return Catalogue(models=models, signatures=signatures, sources=raw.source, provenance=provenance)


def _entry(
    path: str, entry: dict[str, Any], kind: Any, sources: dict[str, str], provenance: dict[str, Figure]
) -> Any:
    plain = {name: _plain(f"{path}.{name}", value, sources, provenance) for name, value in entry.items()}
    try:
        good = msgspec.convert(plain, kind)
    except msgspec.ValidationError as error:
        field, words = _place_and_words(error)
        raise FieldError(f"$.{path}.{field}".rstrip("."), words) from None
    fault = good.fault()
    if fault is not None:
        raise FieldError(f"$.{path}.{fault[0]}", fault[1])
    return good


def _place_and_words(error: msgspec.ValidationError) -> tuple[str, str]:
    """The field that an error is about, if it is about one, and what is wrong with it."""
    unknown, where = _UNKNOWN.search(str(error)), _WHERE.search(str(error))
    return unknown[1] if unknown else where[1] if where else "", _WHERE.sub("", str(error)).replace("`", "")


def _plain(path: str, value: Any, sources: dict[str, str], provenance: dict[str, Figure]) -> Any:
    """The value of a figure, which must say where it is from; words and switches need not."""
    if isinstance(value, str | bool):
        return value
    try:
        figure = msgspec.convert(value, Figure)
    except msgspec.ValidationError as error:
        why = "a figure is { value = ..., source = ..., grade = ... }"
        raise FieldError(f"$.{path}", f"{_WHERE.sub('', str(error))}: {why}") from None
    if figure.source not in sources:
        raise FieldError(f"$.{path}.source", f"no source {figure.source!r} in [source]")
    provenance[path] = figure
    return figure.value


def _ordered(entry: Struct, low: str, high: str) -> tuple[str, str] | None:
    if getattr(entry, low) < getattr(entry, high):
        return None
    return low, f"{getattr(entry, low)} is not below {high}, which is {getattr(entry, high)}"
