"""What could have stood in a place of a document, for an error that says so: names of fields, known words.

Follows the path of a refused value through the types (``msgspec.inspect``); where several could hold it, the
tag in the document says which.
"""

from collections.abc import Iterable
from typing import Any

from msgspec import inspect

MOST = 40


def fields_at(kind: Any, tree: Any, path: tuple[str | int, ...]) -> list[str]:
    """The fields that an object at ``path`` may have, in their order; empty if it is none."""
    structs = [one for one in _found(kind, tree, path) if isinstance(one, inspect.StructType)]
    tags = [one.tag_field for one in structs if one.tag_field is not None]
    names = [field.encode_name for one in structs for field in one.fields]
    return list(dict.fromkeys([*tags, *names]))[:MOST]


def words_at(kind: Any, tree: Any, path: tuple[str | int, ...]) -> list[str]:
    """The words that may stand at ``path``, in alphabetical order: an enumeration, or tags of a union."""
    words = [
        str(value)
        for one in _found(kind, tree, path)
        if isinstance(one, inspect.LiteralType)
        for value in one.values
    ]
    if not words and path:
        holders = _found(kind, None, path[:-1])
        words = [
            str(one.tag)
            for one in holders
            if isinstance(one, inspect.StructType) and one.tag_field == path[-1]
        ]
    return sorted(set(words))[:MOST]


def _found(kind: Any, tree: Any, path: Iterable[str | int]) -> list[Any]:
    """The types that a value at ``path`` may have. ``tree`` None: whatever the tags are."""
    types, node = _alternatives([inspect.type_info(kind)], tree), tree
    for step in path:
        node = _inside(node, step)
        types = _alternatives([inner for one in types for inner in _step(one, step)], node)
    return types


def _inside(node: Any, step: str | int) -> Any:
    if isinstance(node, dict):
        return node.get(step)
    return node[step] if isinstance(node, list) and isinstance(step, int) and step < len(node) else None


def _alternatives(types: Iterable[Any], node: Any) -> list[Any]:
    flat: list[Any] = []
    for one in types:
        held = one.type if isinstance(one, inspect.Metadata) else one
        flat += _alternatives(held.types, node) if isinstance(held, inspect.UnionType) else [held]
    if not isinstance(node, dict):
        return flat
    told = [one for one in flat if isinstance(one, inspect.StructType) and node.get(one.tag_field) == one.tag]
    return told if any(one.tag_field is not None for one in told) else flat


def _step(kind: Any, step: str | int) -> list[Any]:
    if isinstance(kind, inspect.StructType):
        return [field.type for field in kind.fields if field.encode_name == step]
    if isinstance(kind, inspect.DictType):
        return [kind.value_type]
    if isinstance(kind, inspect.TupleType):
        return [kind.item_types[step]] if isinstance(step, int) and step < len(kind.item_types) else []
    if isinstance(kind, inspect.ListType | inspect.VarTupleType):
        return [kind.item_type]
    return []
