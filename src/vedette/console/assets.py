"""The built page: every file is read once, so that no request ever names a path on the disk."""

import re
from dataclasses import dataclass
from pathlib import Path

STATIC = Path(__file__).parent / "static"
"""Where `make page` builds the page to."""

INDEX = "index.html"

NOT_BUILT = "The page is not built. Run 'make page' in the project's folder, then start the station again.\n"

MEDIA_TYPES = {
    ".html": "text/html",
    ".css": "text/css",
    ".js": "text/javascript",
    ".mjs": "text/javascript",
    ".json": "application/json",
    ".svg": "image/svg+xml",
    ".txt": "text/plain",
}

IMMUTABLE = "public, max-age=31536000, immutable"
REVALIDATE = "no-cache"

_HASHED = re.compile(r"-[0-9A-Z]{8}\.[a-z]+$")


@dataclass(frozen=True)
class Asset:
    """One file of the page as it is sent."""

    content: bytes
    media_type: str
    cache_control: str


def load(folder: Path = STATIC) -> dict[str, Asset]:
    """All files of the built page by name; empty if it is not built. Unknown kinds are left out."""
    if not folder.is_dir():
        return {}
    files = sorted(path for path in folder.iterdir() if path.is_file() and path.suffix in MEDIA_TYPES)
    return {path.name: _asset(path) for path in files}


def _asset(path: Path) -> Asset:
    """A name with a content hash never changes its content: a browser may keep it for ever."""
    cache = IMMUTABLE if _HASHED.search(path.name) else REVALIDATE
    return Asset(path.read_bytes(), MEDIA_TYPES[path.suffix], cache)
