"""Filters beside Jinja2's own: those that users of Ansible expect, with their names and arguments.

Each is a function of values. What it may cost, `bounds` and `sandbox` decide before it is called.
"""

from __future__ import annotations

import base64
import hashlib
import json
import posixpath
import shlex
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from jinja2 import Undefined

from stead.language.expressions.addresses import ADDRESS_FILTERS
from stead.language.expressions.bounds import LARGEST, BoundExceeded

WIDEST = 16  # spaces that a level of JSON is indented by
_DIGESTS = ("sha256", "sha512", "sha1", "md5")
_WORDS = {"true": True, "yes": True, "on": True, "1": True, "false": False, "no": False, "off": False, "0": False}


def to_json(value: Any, indent: int | None = None) -> str:
    if indent is not None and not (isinstance(indent, int) and 0 <= indent <= WIDEST):
        raise BoundExceeded(f"`indent` is a number from 0 to {WIDEST}.")
    parts, room = [], LARGEST
    for part in json.JSONEncoder(sort_keys=True, default=_plain, indent=indent).iterencode(value):
        room -= len(part)
        if room < 0:  # lists in lists have more spaces than content
            raise BoundExceeded(f"The JSON is more than {LARGEST:,} characters.")
        parts.append(part)
    return "".join(parts)


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, Undefined):
        return str(value)  # raises, with the name
    if hasattr(value, "__iter__"):
        return list(value)
    raise BoundExceeded(f"A {type(value).__name__} cannot be converted to JSON.")


def to_yaml(value: Any) -> str:
    from stead.language.document.writer import written

    return written(json.loads(to_json(value)), ordered=True)


def from_yaml(text: str) -> Any:
    from stead.language.document import plain
    from stead.language.document.parser import read

    node, found = read(text.encode(), "text")
    if found:
        raise BoundExceeded(f"It is not YAML: {found[0].detail}")
    return None if node is None else plain(node)


def combine(*maps: Any, recursive: bool = False) -> dict[str, Any]:
    """Later ones win. `recursive` merges maps in maps."""
    made: dict[str, Any] = {}
    for one in [below for each in maps for below in (each if isinstance(each, list) else [each])]:
        if not isinstance(one, Mapping):
            raise BoundExceeded("`combine` takes maps, or lists of them.")
        _combine(made, one, recursive=recursive)
    return made


def _combine(made: dict[str, Any], one: Mapping[str, Any], *, recursive: bool) -> None:
    """Each map of what is made is its own, so that none is copied for each map that is merged into it."""
    for key, value in one.items():
        if recursive and isinstance(value, Mapping):
            if not isinstance(made.get(key), dict):
                made[key] = {}
            _combine(made[key], value, recursive=True)
        else:
            made[key] = value


def flatten(items: Any, levels: int | None = None) -> list[Any]:
    made: list[Any] = []
    _flatten(_list(items, "flatten"), -1 if levels is None else levels, made)
    return made


def _flatten(items: list[Any] | tuple[Any, ...], levels: int, into: list[Any]) -> None:
    for one in items:
        if levels and (type(one) is list or type(one) is tuple):
            if one:
                _flatten(one, levels - 1, into)
        elif one is not None:
            into.append(one)


def dict2items(value: Any, key_name: str = "key", value_name: str = "value") -> list[dict[str, Any]]:
    if not isinstance(value, Mapping):
        raise BoundExceeded("`dict2items` takes a map.")
    return [{key_name: key, value_name: one} for key, one in value.items()]


def items2dict(value: Any, key_name: str = "key", value_name: str = "value") -> dict[str, Any]:
    items = _list(value, "items2dict")
    if not all(isinstance(one, Mapping) and key_name in one and value_name in one for one in items):
        raise BoundExceeded(f"`items2dict` takes a list of maps with {key_name!r} and {value_name!r}.")
    return {str(one[key_name]): one[value_name] for one in items}


def text_of(value: Any) -> str:
    """A list may be small and print large."""
    if isinstance(value, str | int | float | Undefined):
        return str(value)  # an undefined one raises, with its name
    raise BoundExceeded(f"A text is wanted here, and this is a {type(value).__name__}. Write `| to_json` before it.")


def _list(value: Any, name: str) -> list[Any]:
    if isinstance(value, str | Mapping) or not hasattr(value, "__iter__"):
        raise BoundExceeded(f"`{name}` takes a list.")
    return list(value)


def _once(items: Iterable[Any]) -> dict[str, Any]:
    """By what they are as JSON: lists and maps can be no keys."""
    return {to_json(one): one for one in items}


def union(left: Any, right: Any) -> list[Any]:
    return list(_once([*_list(left, "union"), *_list(right, "union")]).values())


def intersect(left: Any, right: Any) -> list[Any]:
    others = _once(_list(right, "intersect"))
    return [one for text, one in _once(_list(left, "intersect")).items() if text in others]


def difference(left: Any, right: Any) -> list[Any]:
    others = _once(_list(right, "difference"))
    return [one for text, one in _once(_list(left, "difference")).items() if text not in others]


def digest(text: Any, name: str = "sha256") -> str:
    if name not in _DIGESTS:
        raise BoundExceeded(f"There is no digest {name!r}. There are {', '.join(_DIGESTS)}.")
    return hashlib.new(name, text_of(text).encode(), usedforsecurity=False).hexdigest()


def to_bool(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    if (word := text_of(value).lower()) not in _WORDS:
        raise BoundExceeded("It is neither true nor false.")
    return _WORDS[word]


def ternary(value: Any, then: Any, other: Any) -> Any:
    return then if value else other


FILTERS: Mapping[str, Callable[..., Any]] = {
    "to_json": to_json,
    "tojson": to_json,  # Jinja's own escapes for HTML
    "to_nice_json": lambda value, indent=4: to_json(value, indent),
    "from_json": json.loads,
    "to_yaml": to_yaml,
    "to_nice_yaml": to_yaml,
    "from_yaml": from_yaml,
    "b64encode": lambda text: base64.b64encode(text_of(text).encode()).decode(),
    "b64decode": lambda text: base64.b64decode(text_of(text)).decode(),
    "combine": combine,
    "flatten": flatten,
    "dict2items": dict2items,
    "items2dict": items2dict,
    "union": union,
    "intersect": intersect,
    "difference": difference,
    "zip": lambda *lists: [list(one) for one in zip(*lists, strict=False)],
    "hash": digest,
    "bool": to_bool,
    "ternary": ternary,
    "quote": lambda text: shlex.quote(text_of(text)),
    "split": lambda text, separator=None: text_of(text).split(separator),
    "basename": lambda path: posixpath.basename(text_of(path)),
    "dirname": lambda path: posixpath.dirname(text_of(path)),
    **ADDRESS_FILTERS,
}
TESTS: Mapping[str, Callable[..., bool]] = {
    "contains": lambda items, one: one in items,
}
