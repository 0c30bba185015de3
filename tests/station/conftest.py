"""Makes the helpers of this room's tests importable for them and for the neighbours."""

import importlib.util
import sys
from pathlib import Path


def _load(name: str, path: Path) -> None:
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)


_load("station_build", Path(__file__).parent / "build.py")
_load("station_hilly", Path(__file__).parent / "hilly.py")
_load("station_feed_hub", Path(__file__).parent / "feed_hub.py")
_load("sapient_nodes", Path(__file__).parent / "peers" / "sapient_nodes.py")
_load("outward", Path(__file__).parent / "peers" / "outward.py")
_load("place_search", Path(__file__).parent / "peers" / "place_search.py")
_load("adsb_receiver", Path(__file__).parent / "peers" / "adsb_receiver.py")
_load("pack_texts", Path(__file__).parents[1] / "warn" / "pack_texts.py")
