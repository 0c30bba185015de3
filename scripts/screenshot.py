"""Take a picture of a running console: scripts/screenshot.py URL OUT.png [--night] [--size 1280x800].

The picture is taken once the page has a view and the map has drawn it.
"""

import argparse
import asyncio
import shutil
import sys
from pathlib import Path

from devtools import browser

DRAWN = "document.querySelector('vedette-map')?.picture?.drawn"


async def take(
    url: str, out: Path, size: tuple[int, int], *, night: bool, wait_s: float, chromium: str
) -> None:
    """Open ``url``, wait until the map is drawn and ``wait_s`` longer, and write the PNG to ``out``."""
    async with browser(chromium) as page:
        await page.look(*size, night=night)
        await page.goto(url)
        await page.wait_for(DRAWN)
        await asyncio.sleep(wait_s)
        await page.screenshot(out)


def main() -> int:
    """Parse the command line; exit 64 if there is no browser."""
    parser = argparse.ArgumentParser(description="Take a picture of a running console.")
    parser.add_argument("url")
    parser.add_argument("out", type=Path)
    parser.add_argument("--night", action="store_true")
    parser.add_argument("--size", default="1280x800")
    parser.add_argument("--wait", type=float, default=2.0, help="seconds to wait once the map is drawn")
    chosen = parser.parse_args()
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    if chromium is None:
        print("no chromium on the PATH: install it to take pictures", file=sys.stderr)
        return 64
    width, height = map(int, chosen.size.split("x"))
    shot = take(
        chosen.url, chosen.out, (width, height), night=chosen.night, wait_s=chosen.wait, chromium=chromium
    )
    asyncio.run(shot)
    return 0


if __name__ == "__main__":
    sys.exit(main())
