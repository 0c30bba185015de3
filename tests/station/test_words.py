"""Which words are in force: ours, a site's own, and the ones before when a pack is spoilt."""

import asyncio
import json
from pathlib import Path

import msgspec
import pytest
from pack_texts import own, written
from station_build import SITE, Recorder

from vedette.core import Core
from vedette.model import ConfigError, UnitReport
from vedette.model.event import Action, Configure, decode_body, encode_body
from vedette.station.assemble import assemble
from vedette.station.config import check, read_config
from vedette.station.station import Station
from vedette.station.words import WordFolder, check_folder, with_packs
from vedette.warn.pack import PACKS


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "packs"
    made.mkdir()
    return made


@pytest.fixture
def state(tmp_path: Path) -> Path:
    return tmp_path / "state"


def pack(version: int = 100, radar: str = "mast radar", language: str = "en") -> bytes:
    tree = own(language, version)
    tree["sensor"]["radar"] = radar
    return written(tree)


def versions(folder: Path | None, state: Path | None) -> dict[str, int]:
    return {name: used.version for name, used in WordFolder(folder, state).settle().packs.items()}


OURS = {language: used.version for language, used in PACKS.items()}


def test_without_a_folder_ours_are_used(state: Path) -> None:
    words = WordFolder(None, state).settle()
    assert words.packs == dict(PACKS)
    assert words.troubles == ()
    assert not state.exists()


def test_a_pack_of_ones_own_takes_the_place_of_ours(folder: Path, state: Path) -> None:
    (folder / "en.toml").write_bytes(pack())
    words = WordFolder(folder, state).settle()
    assert words.packs["en"].sensor["radar"] == "mast radar"
    assert words.packs["es"] == PACKS["es"]
    assert (words.own, words.troubles) == (frozenset({"en"}), ())
    shown = {one.language: (one.version, one.own, one.reviewed) for one in words.view().packs}
    assert shown == {"en": (100, True, False), "es": (OURS["es"], False, False)}


def test_a_spoilt_pack_leaves_the_one_before_also_after_a_restart(folder: Path, state: Path) -> None:
    (folder / "en.toml").write_bytes(pack())
    before = WordFolder(folder, state).settle()
    (folder / "en.toml").write_bytes(pack(101, "safe radar"))
    for words in (WordFolder(folder, state).settle(before), WordFolder(folder, state).settle()):
        assert words.packs["en"] == before.packs["en"]
        assert words.own == {"en"}
        (trouble,) = words.troubles
        assert "en.toml, line" in trouble
        assert "'safe' may be in no text" in trouble
        assert trouble.endswith("version 100 stays in force")


def test_a_first_pack_that_is_spoilt_leaves_ours(folder: Path, state: Path) -> None:
    (folder / "en.toml").write_bytes(b"version = [")
    (folder / "fr.toml").write_bytes(b"")
    words = WordFolder(folder, state).settle()
    assert words.packs == dict(PACKS)
    assert "which comes with Vedette, is in force" in words.troubles[0]
    assert "nobody is told in this language" in words.troubles[1]


def test_changed_words_need_another_version(folder: Path, state: Path) -> None:
    (folder / "en.toml").write_bytes(pack())
    before = WordFolder(folder, state).settle()
    (folder / "en.toml").write_bytes(pack(100, "tower radar"))
    words = WordFolder(folder, state).settle(before)
    assert words.packs["en"] == before.packs["en"]
    assert "version 100 is in force with other words" in words.troubles[0]
    (folder / "en.toml").write_bytes(pack(101, "tower radar"))
    assert WordFolder(folder, state).settle(words).packs["en"].sensor["radar"] == "tower radar"


def test_a_pack_that_is_taken_away_is_forgotten(folder: Path, state: Path) -> None:
    (folder / "en.toml").write_bytes(pack())
    assert versions(folder, state)["en"] == 100
    (folder / "en.toml").unlink()
    assert versions(folder, state) == OURS
    assert list((state / "wording").iterdir()) == []


def test_a_folder_that_is_gone_leaves_what_was(folder: Path, state: Path) -> None:
    (folder / "en.toml").write_bytes(pack())
    WordFolder(folder, state).settle()
    folder.rename(folder.with_name("elsewhere"))
    words = WordFolder(folder, state).settle()
    assert words.packs["en"].version == 100
    assert "it must be a folder" in words.troubles[0]


def test_a_file_is_named_after_its_language(folder: Path, state: Path) -> None:
    (folder / "es.toml").write_bytes(pack())
    words = WordFolder(folder, state).settle()
    assert words.packs == dict(PACKS)
    assert "name it en.toml" in words.troubles[0]


def test_a_copy_that_the_disk_does_not_take_is_told(folder: Path, state: Path) -> None:
    (folder / "en.toml").write_bytes(pack())
    state.write_text("no folder")
    words = WordFolder(folder, state).settle()
    assert words.packs["en"].version == 100
    assert "no copy of this pack is kept" in words.troubles[0]


def test_what_a_configuration_says_of_words_is_checked(folder: Path, tmp_path: Path) -> None:
    site = 'name = "S"\nlat_deg = 31.0\nlon_deg = 7.0\nalt_m = 9.0\nalt_datum = "egm96"\n'
    file = tmp_path / "vedette.toml"
    file.write_text(f'[site]\n{site}[wording]\nfolder = "packs"\n')
    config = read_config(file)
    assert config.wording.folder == str(folder)
    check_folder(folder)
    (folder / "en.toml").write_bytes(pack(2))
    with pytest.raises(ConfigError, match=r"en\.toml, line 1: version: version 2 is one of Vedette's own"):
        check_folder(folder)
    file.write_text(f"[site]\n{site}[settings.warn.packs]\n")
    with pytest.raises(ConfigError, match=r"under \[wording\]"):
        read_config(file)


# In a station ---------------------------------------------------------------------------------------


def config_of(tmp_path: Path) -> Path:
    file = tmp_path / "vedette.toml"
    site = 'name = "North gate"\nlat_deg = 31.0\nlon_deg = 7.0\nalt_m = 9.0\nalt_datum = "egm96"\n'
    file.write_text(f'[site]\n{site}[wording]\nfolder = "packs"\n[console]\nlisten = ""\n')
    return file


def built(tmp_path: Path) -> Station:
    return assemble(read_config(config_of(tmp_path)))


def during(station: Station, *deeds) -> None:
    async def run() -> None:
        task = asyncio.create_task(station.run())
        await asyncio.sleep(0.1)
        for deed in deeds:
            await deed()
        await asyncio.sleep(0.1)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    asyncio.run(run())


def test_a_station_has_its_words_in_the_configuration_of_its_record(folder: Path, tmp_path: Path) -> None:
    (folder / "en.toml").write_bytes(pack())
    station = built(tmp_path)
    during(station)
    warn = station._core.configure.settings["warn"]
    assert {language: told["version"] for language, told in warn["packs"].items()} == {
        "en": 100,
        "es": OURS["es"],
    }
    assert station._core.settings.warn.packs["en"].sensor["radar"] == "mast radar"
    assert [one.version for one in station.view().wording.packs] == [100, OURS["es"]]


def test_words_change_while_it_runs_and_a_spoilt_pack_changes_nothing(folder: Path, tmp_path: Path) -> None:
    (folder / "en.toml").write_bytes(pack())
    station = built(tmp_path)
    seen: list[tuple[int, str]] = []

    async def change(text: bytes) -> None:
        (folder / "en.toml").write_bytes(text)
        view = await station.change_words("Ana Ruiz", "console")
        seen.append((station._core.settings.warn.packs["en"].version, " ".join(view.troubles)))

    during(
        station,
        lambda: change(pack(101, "tower radar")),
        lambda: change(pack(102, "confirmed radar")),
        lambda: change(b"\xff"),
    )
    assert [version for version, _ in seen] == [101, 101, 101]
    assert seen[0][1] == ""
    assert "'confirmed' may be in no text" in seen[1][1]
    assert "version 101 stays in force" in seen[2][1]


def test_who_changed_the_words_is_in_the_record(folder: Path, tmp_path: Path) -> None:
    (folder / "en.toml").write_bytes(pack())
    station = built(tmp_path)
    actions: list[Action] = []
    station.action = actions.append  # type: ignore[method-assign]
    during(station, lambda: station.change_words("Ana Ruiz", "console"))
    (action,) = actions
    assert (action.actor, action.via, action.action) == ("Ana Ruiz", "console", "note")
    assert action.reason == f"words in force: en version 100, es version {OURS['es']}"


def test_changed_words_leave_tracks_and_alerts_as_they_are() -> None:
    """The core takes other words without building anew what it tracks and weighs."""
    recorder = Recorder()
    recorder.enter(
        1_790_000_001.0,
        UnitReport(
            time=1_790_000_001.0, unit="alpha", lat_deg=31.45, lon_deg=-110.9, sigma_m=5.0, mobility="foot"
        ),
    )
    core = recorder.engine.core
    tracker, assessor = core._tracker, core._assessor
    changed = Configure(site=SITE, settings=with_packs({}, {"en": PACKS["en"]}))
    recorder.enter(1_790_000_002.0, changed)
    assert (core._tracker, core._assessor) == (tracker, assessor)
    assert list(core.settings.warn.packs) == ["en"]
    again = Core.restore(core.snapshot())
    assert again.snapshot() == core.snapshot()
    assert again.settings.warn.packs["en"] == PACKS["en"]
    fused = msgspec.structs.replace(changed, settings={**changed.settings, "assess": {}})
    recorder.enter(1_790_000_003.0, fused)
    assert core._tracker is tracker, "a default that is written out is no other setting"


def test_packs_survive_the_log() -> None:
    settings = with_packs({"warn": {"expires_s": 50.0}, "fuse": {}}, PACKS)
    written_out = encode_body(Configure(site=SITE, settings=settings))
    back = decode_body("configure", written_out)
    assert isinstance(back, Configure)
    core = Core(back)
    assert core.settings.warn.packs == dict(PACKS)
    assert core.settings.warn.expires_s == 50.0
    assert len(json.dumps(settings)) < 40_000


def test_a_site_config_is_checked_twice_without_harm(tmp_path: Path, folder: Path) -> None:
    config = read_config(config_of(tmp_path))
    assert check(config, "again", Path()).wording == config.wording
