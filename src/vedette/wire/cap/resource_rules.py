"""The rules of a resource: what it says of its content must be true of the content."""

import base64
import binascii
import hashlib
import re
from collections.abc import Iterator

from vedette.wire.cap.faults import Fault
from vedette.wire.cap.schema import BLANK
from vedette.wire.cap.tree import Node

_MIME = re.compile(r"[A-Za-z0-9!#$&^_.+-]+/[A-Za-z0-9!#$&^_.+-]+(\s*;.*)?", re.DOTALL)
_SHA1 = re.compile(r"[0-9A-Fa-f]{40}")


def resource_faults(resource: Node) -> Iterator[Fault]:
    """All that is wrong with one ``resource``."""
    words, kind, size = (resource.first(name) for name in ("resourceDesc", "mimeType", "size"))
    if words is not None and not words.text.strip(BLANK):
        yield words.fault("empty-text", "it is empty", "say in words what it is")
    if kind is not None and _MIME.fullmatch(kind.text.strip(BLANK)) is None:
        yield kind.fault(
            "bad-mime-type", f"{kind.text[:60]!r} is no MIME type", "write one such as image/png"
        )
    if size is not None and int(size.text) < 0:
        yield size.fault("bad-size", "a size below zero", "give the bytes")
    yield from _content(resource)


def _content(resource: Node) -> Iterator[Fault]:
    inside, digest = resource.first("derefUri"), resource.first("digest")
    named = None if digest is None else digest.text.strip(BLANK).lower()
    if digest is not None and _SHA1.fullmatch(named or "") is None:
        yield digest.fault(
            "bad-digest", "it is no SHA-1 in 40 hexadecimal figures", "compute it from the file"
        )
        return
    if inside is None:
        return
    try:
        content = base64.b64decode("".join(inside.text.split()), validate=True)
    except (binascii.Error, ValueError):
        yield inside.fault("bad-content", "the content is not base64", "encode the file in base64")
        return
    if digest is not None and hashlib.sha1(content, usedforsecurity=False).hexdigest() != named:
        yield digest.fault("wrong-digest", "it is not that of the content", "one of the two was altered")
