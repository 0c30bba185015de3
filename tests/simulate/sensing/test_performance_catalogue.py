"""The performance catalogue: every figure says where it is from, and nothing impossible gets in."""

from importlib import resources

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vedette.model.errors import ConfigError
from vedette.simulate.kinds import ENVELOPES
from vedette.simulate.sensing.catalogue import Radar, catalogue, model_of, read_catalogue, signature_of

TEXT = (resources.files("vedette.simulate") / "catalogue.toml").read_text(encoding="utf-8")


def _refused(old: str, new: str) -> str:
    assert TEXT.count(old) >= 1
    with pytest.raises(ConfigError) as refusal:
        read_catalogue(TEXT.replace(old, new, 1), "catalogue.toml")
    return str(refusal.value)


def _line_of(text: str) -> int:
    return TEXT[: TEXT.index(text)].count("\n") + 1


def test_every_number_has_a_source_that_is_listed_and_a_grade() -> None:
    book = catalogue()
    assert len(book.provenance) > 150
    assert {figure.grade for figure in book.provenance.values()} == {"A", "B", "C"}
    assert {figure.source for figure in book.provenance.values()} == set(book.sources)
    numbers = {
        f"model.{name}.{field}"
        for name, model in book.models.items()
        for field in model.__struct_fields__
        if isinstance(getattr(model, field), float) and not isinstance(getattr(model, field), bool)
    }
    defaults = {path for path in numbers if path not in book.provenance}
    assert not defaults, "a figure that is only in the code has no source"


def test_every_flying_kind_has_a_signature_and_a_silent_variant_exists() -> None:
    for kind, envelope in ENVELOPES.items():
        assert (signature_of(kind) is not None) == envelope.airborne, kind
    silent = signature_of("fpv-fibre")
    assert silent is not None
    assert silent.rf_dbm is None
    assert silent.level_db is not None


@pytest.mark.parametrize(
    ("old", "new", "line_with", "said"),
    [
        (
            'reference_range_m = { value = 2000.0, source = "raddar", grade = "A" }',
            "reference_range_m = 2000.0",
            "reference_range_m = { value = 2000.0",
            "a figure is { value = ..., source = ..., grade = ... }",
        ),
        (
            'value = 2000.0, source = "raddar", grade = "A"',
            'value = 2000.0, source = "hearsay", grade = "A"',
            "reference_range_m = { value = 2000.0",
            "no source 'hearsay' in [source]",
        ),
        (
            'value = 2000.0, source = "raddar", grade = "A"',
            'value = 2000.0, source = "raddar", grade = "D"',
            "reference_range_m = { value = 2000.0",
            "grade",
        ),
        (
            'value = 2000.0, source = "raddar", grade = "A"',
            'value = -2000.0, source = "raddar", grade = "A"',
            "reference_range_m = { value = 2000.0",
            "Expected float > 0.0",
        ),
        (
            "least_range_m = { value = 30.0",
            "least_range_m = { value = 9000.0",
            "least_range_m = { value = 30.0",
            "9000.0 is not below most_range_m",
        ),
        ("raised = true", "raised = false", "raised = true", "sigma_elevation_deg"),
        (
            'rf_mhz = { value = 5800.0, source = "judgement", grade = "C" }\n',
            "",
            "rf_dbm = { value = 27.0",
            "power and frequency of an emission belong together",
        ),
        ('looks_like = "fpv"', 'looks_like = "dragon"', 'looks_like = "fpv"', "dragon"),
        ('type = "radar"', 'type = "sonar"', 'type = "radar"', "sonar"),
        ("[model.x-band-fmcw]\n", "[model.x-band-fmcw]\ncolour = 'red'\n", "type = \"radar\"", "colour"),
    ],
)  # fmt: skip
def test_an_impossible_entry_is_refused_with_its_line(old: str, new: str, line_with: str, said: str) -> None:
    message = _refused(old, new)
    assert message.startswith(f"catalogue.toml, line {_line_of(line_with)}: "), message
    assert said in message


@given(st.floats(min_value=0.05, max_value=60.0))
def test_an_override_replaces_one_figure(period_s: float) -> None:
    changed, usual = model_of("mesa-radar", {"period_s": period_s}), model_of("mesa-radar")
    assert isinstance(changed, Radar)
    assert isinstance(usual, Radar)
    assert changed.period_s == period_s
    assert changed.sigma_range_m == usual.sigma_range_m


@pytest.mark.parametrize(
    "override", [{"period_s": -1.0}, {"period": 1.0}, {"least_range_m": 9e9}, {"most_pd": 1.5}]
)
def test_an_override_that_cannot_be_is_refused(override: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="override of mesa-radar"):
        model_of("mesa-radar", override)
