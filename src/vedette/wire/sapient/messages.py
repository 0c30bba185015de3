"""bytes <-> SapientMessage, and the JSON form that the conformance corpus and log files are written in."""

import re

from google.protobuf import json_format
from google.protobuf.message import DecodeError as ProtobufDecodeError
from sapient_msg.bsi_flex_335_v2_0.sapient_message_pb2 import SapientMessage as SapientMessage

from vedette.wire.errors import EncodeError
from vedette.wire.sapient.faults import SapientError

MAX_JSON_DEPTH = 100
"""Nesting that is still read: the limit of the protobuf parser, for the JSON form too."""

_UNKNOWN = re.compile(r'has no field named "([^"]*)"')
_PLACE = re.compile(r" at \"?SapientMessage\.?([\w.\[\]]*)")
_UNPARSED = re.compile(r"Failed to parse (\w+) field")
_CAMEL = re.compile(r"(?<=[a-z0-9])([A-Z])")


def read_message(data: bytes) -> SapientMessage:
    """Read the protobuf of one message, without its length. Raises SapientError.

    Unknown fields and unknown enum values are kept in the message, for `validate` to name.
    """
    message = SapientMessage()
    try:
        message.ParseFromString(data)
    except ProtobufDecodeError as error:
        text = (
            f"{len(data)} bytes are no protobuf of a SapientMessage ({error}): check the port and the framing"
        )
        raise SapientError("not-protobuf", text, data=data) from error
    return message


def write_message(message: SapientMessage) -> bytes:
    """The protobuf of ``message``, without its length; equal messages give equal bytes."""
    data: bytes = message.SerializeToString(deterministic=True)
    return data


def read_json(text: str | bytes) -> SapientMessage:
    """Read the JSON form strictly: no unknown key, no key twice. Raises SapientError.

    ``path`` of the error is the field in the names of the proto files, as in a `Fault`.
    """
    if text.lstrip()[:1] not in ("{", b"{"):
        raise SapientError("bad-json", "the JSON of a SapientMessage is an object")
    try:
        read: SapientMessage = json_format.Parse(text, SapientMessage(), max_recursion_depth=MAX_JSON_DEPTH)
    except json_format.ParseError as error:
        raise SapientError("bad-json", str(error), path=_json_path(str(error))) from error
    except (ValueError, TypeError, AttributeError, RecursionError, OverflowError) as error:
        raise SapientError("bad-json", f"this is no JSON of a SapientMessage: {error}") from error
    return read


def write_json(message: SapientMessage) -> str:
    """The JSON form of ``message``, for people and test tools. Raises EncodeError."""
    try:
        text: str = json_format.MessageToJson(message)
    except (ValueError, json_format.Error) as error:
        raise EncodeError("no-json-form", f"the message has no JSON form: {error}") from error
    return text


def _json_path(text: str) -> str:
    """The field that protobuf's error is about, as far as it tells."""
    place, unknown = _PLACE.search(text), _UNKNOWN.search(text)
    parts = [found[1].rstrip(".") for found in (place, unknown) if found is not None]
    return ".".join(_snake(part) for part in parts or _UNPARSED.findall(text) if part)


def _snake(name: str) -> str:
    return _CAMEL.sub(lambda capital: "_" + capital[1].lower(), name)
