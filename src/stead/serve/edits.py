"""Edits of a document's contents: pure functions from contents to contents. They know no service and no store."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from stead.core.address import Address
from stead.core.named import NamedTuple
from stead.serve.faults import bad, conflict

Content = Mapping[str, Any]  # section -> name -> fields
Edit = Callable[[Content], Content]
OfAddress = Callable[[Address], bool]
LONGEST = 63  # characters of a key: it is a DNS label
NO_SECTION: Mapping[str, Any] = {}


class Who(NamedTuple):
    """Whose request it is."""

    name: str
    id: str


def put(content: Content, kind: str, key: str, fields: Mapping[str, Any]) -> Content:
    """Adds an entry, or writes it anew. Fields that are None are left out: that is how a document says nothing."""
    entry = {name: one for name, one in fields.items() if one is not None}
    _check(entry)
    return {**content, kind: {**content.get(kind, NO_SECTION), key: entry}}


def change(content: Content, kind: str, key: str, fields: Mapping[str, Any]) -> Content:
    """Some fields of an entry that is there; who comes too late for it is told."""
    return put(content, kind, key, {**entry_of(content, kind, key), **fields})


def remove(content: Content, kind: str, key: str) -> Content:
    section = {name: one for name, one in content.get(kind, NO_SECTION).items() if name != key}
    rest = {name: one for name, one in content.items() if name != kind}
    return {**rest, kind: section} if section else rest


def entry_of(content: Content, kind: str, key: str) -> Mapping[str, Any]:
    entry: Mapping[str, Any] | None = content.get(kind, NO_SECTION).get(key)
    if entry is None:
        raise conflict(f"It was changed or deleted meanwhile: {kind}/{key} is not there.")
    return entry


def slug(name: str) -> str:
    """What of a name can be a DNS label: empty where nothing can."""
    text = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:50].strip("-")
    return text if text[:1].isalpha() else (f"x-{text}" if text else "")


def free_key(content: Content, kind: str, wanted: str, fresh: str) -> str:
    """A readable key where it is free; else with what is fresh behind it."""
    if wanted and wanted not in content.get(kind, NO_SECTION):
        return wanted
    return f"{wanted[: LONGEST - 1 - len(fresh)].rstrip('-') or 'x'}-{fresh}"


def all_of(*edits: Edit) -> Edit:
    def edit(content: Content) -> Content:
        for one in edits:
            content = one(content)
        return content

    return edit


def _check(value: Any) -> None:
    """Keys that begin with `$` are Stead's own marks."""
    if isinstance(value, Mapping):
        for name, one in value.items():
            if str(name).startswith("$"):
                raise bad("A key cannot begin with $.")
            _check(one)
    elif isinstance(value, list | tuple):
        for one in value:
            _check(one)
