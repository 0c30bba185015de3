"""rasterio, imported when a file is first read: a station without elevation data never loads GDAL."""

import importlib
from typing import Any

from vedette.model.errors import ConfigError


def load(module: str = "rasterio") -> Any:
    """The module of that name. Raises ConfigError if rasterio is not installed."""
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise ConfigError(
            f"elevation files need the package rasterio, which cannot be loaded ({error}): install rasterio"
        ) from error
