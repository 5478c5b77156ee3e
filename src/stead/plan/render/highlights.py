"""Which fields of a new resource are worth showing without `--verbose`: its kind says, or else its first plain ones."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from stead.kinds import kinds
from stead.plan.render.values import shown

_USUAL = {"state": "running"}  # said only when it is otherwise
_OTHERWISE = 5  # fields of a kind that names none
_DULL = {"name", "uuid"}


def highlights(kind: str, fields: Mapping[str, Any]) -> str:
    said: dict[str, str] = {}  # what has one name is told in one go
    for name, text in _found(kind, fields):
        if _USUAL.get(name) != text:
            said[name] = f"{said[name]} in {text}" if name in said else f"{name} {text}"
    return ", ".join(said.values())


def _found(kind: str, fields: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    known = kinds().get(kind)
    wanted = known.highlights if known is not None else ()
    if not wanted:
        plain = [name for name, value in fields.items() if isinstance(value, str | int) and name not in _DULL and value]
        wanted = tuple(plain[:_OTHERWISE])
    for path in wanted:
        bare = path.rstrip(".#")
        found = [value for value in _values(fields, bare.split(".")) if value not in (None, "", [], {})]
        if not found:
            continue
        name = bare.partition(".")[0]
        yield _told(name, path, found)


def _told(name: str, path: str, found: list[Any]) -> tuple[str, str]:
    if path.endswith("."):
        return name, ", ".join(str(key).rpartition("/")[2] for key in found[0])
    if path.endswith("#"):
        return name, str(len(found[0]))
    if path == "root.size":
        name = "disk"
    return name, ", ".join(_bare(value, path) for value in found)


def _bare(value: Any, path: str) -> str:
    """Lists and maps without their brackets; an address keeps its own."""
    text = shown(value, path)
    bracketed = isinstance(value, list | tuple | Mapping) and text[:1] in ("[", "{")
    return text[1:].removesuffix("]").removesuffix("}") if bracketed else text


def _values(value: Any, path: list[str]) -> Iterator[Any]:
    if not path:
        yield value
    elif isinstance(value, Mapping) and "$secret" not in value:
        head, *rest = path
        for one in value.values() if head == "*" else [value[head]] if head in value else []:
            yield from _values(one, rest)
