"""The errors Vedette raises on purpose. Each says what, where and what to do.

VedetteError          exit 1
+-- ConfigError       exit 64: configuration or usage
+-- InputError        exit 65: input data
    +-- DatumError    heights of different datums would have been mixed
"""


class VedetteError(Exception):
    """Base of all errors a person is meant to read; ``exit_code`` follows DESIGN section 5."""

    exit_code = 1


class ConfigError(VedetteError):
    """Configuration or command line is wrong; the message names file, line and field."""

    exit_code = 64


class InputError(VedetteError):
    """Input data cannot be used; the message names the source and the place in it."""

    exit_code = 65


class DatumError(InputError):
    """Two height datums would have been mixed without a known offset between them."""
