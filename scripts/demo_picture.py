"""README's picture: start the demo, wait for its worst moment, photograph the page.

.venv/bin/python scripts/demo_picture.py docs/demo.png
"""

import asyncio
import json
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

from devtools import browser

VEDETTE = Path(__file__).resolve().parent.parent / ".venv" / "bin" / "vedette"
SIZE = (1280, 800)
WORST = "imminent"
SOON_S = 25.0
PATIENCE_S = 300.0
SETTLE_S = 2.0
"""Long enough for the map to be drawn once the alert is there."""


def page_address(log: Path, station: subprocess.Popen[bytes]) -> str:
    """The address that the station prints into its log. Raises RuntimeError if it ends before."""
    while station.poll() is None:
        found = re.search(r"http://127\.0\.0\.1:\d+/?", log.read_text(encoding="utf-8", errors="replace"))
        if found:
            return found.group()
        time.sleep(0.2)
    raise RuntimeError(f"the station ended before it printed the page's address:\n{log.read_text()}")


def is_worst(address: str) -> bool:
    """True while the page shows an alert of the worst level whose drone is about to arrive."""
    with urllib.request.urlopen(f"{address.rstrip('/')}/api/v1/view", timeout=10) as answer:
        view = json.load(answer)
    shown = [alert for alert in view["alerts"] if alert["alert"]["level"] == WORST]
    times = [alert.get("now", {}).get("time_to_impact_s") for alert in shown]
    return any(time is not None and time[1] < SOON_S for time in times)


async def worst_moment(address: str) -> None:
    """Return when the drone is about to arrive. Raises TimeoutError."""
    async with asyncio.timeout(PATIENCE_S):
        while not await asyncio.to_thread(is_worst, address):
            await asyncio.sleep(0.5)


async def photograph(address: str, out: Path) -> None:
    """Watch the page from the beginning, so that trails are drawn; write the picture to ``out``."""
    chromium = shutil.which("chromium") or "google-chrome"
    async with browser(chromium) as page:
        await page.look(*SIZE)
        await page.goto(address)
        await worst_moment(address)
        await asyncio.sleep(SETTLE_S)
        await page.screenshot(out)


def picture_of_demo(out: Path, state: Path) -> None:
    """Run the demo with its state in ``state``, and photograph it."""
    log = state / "station.txt"
    command = [str(VEDETTE), "run", "--state", str(state), "--listen", "127.0.0.1:0"]
    # To a file, not a pipe: nobody reads along, and a full pipe would stop the station.
    with log.open("wb") as sink, subprocess.Popen(command, stdout=sink, stderr=sink) as station:
        try:
            asyncio.run(photograph(page_address(log, station), out))
        finally:
            station.send_signal(signal.SIGINT)


def main() -> int:
    """Take the picture that the command line names."""
    with tempfile.TemporaryDirectory() as state:
        picture_of_demo(Path(sys.argv[1]).resolve(), Path(state))
    return 0


if __name__ == "__main__":
    sys.exit(main())
