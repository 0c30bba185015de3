"""The reserve is real space, made once, given up at once."""

import stat
from pathlib import Path

from vedette.record import ReserveFile


def test_a_reserve_takes_real_blocks(tmp_path: Path) -> None:
    reserve = ReserveFile(tmp_path / "reserve", 1 << 20)
    assert not reserve.held
    assert reserve.make()
    assert reserve.held
    status = reserve.path.stat()
    assert status.st_blocks * 512 >= 1 << 20
    assert stat.S_IMODE(status.st_mode) == 0o600
    assert reserve.make()


def test_released_space_is_gone_and_can_be_made_again(tmp_path: Path) -> None:
    reserve = ReserveFile(tmp_path / "reserve", 1 << 20)
    reserve.make()
    reserve.release()
    assert not reserve.path.exists()
    reserve.release()
    assert reserve.make()


def test_a_length_without_blocks_is_no_reserve(tmp_path: Path) -> None:
    reserve = ReserveFile(tmp_path / "reserve", 1 << 20)
    with reserve.path.open("wb") as file:
        file.truncate(1 << 20)
    assert not reserve.held
    assert reserve.make()
    assert reserve.held


def test_a_reserve_that_does_not_fit_leaves_nothing_behind(tmp_path: Path) -> None:
    reserve = ReserveFile(tmp_path / "reserve", 1 << 60)
    assert not reserve.make()
    assert not reserve.path.exists()
    assert not ReserveFile(tmp_path / "absent" / "reserve").make()
