"""What every list of every service does: filter by fields, order, take a page, show some fields."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Any

from stead.serve.faults import bad
from stead.serve.routes import Call

Item = dict[str, Any]
MOST = 1000  # of one page
NOT_FIELDS = frozenset({"limit", "marker", "sort_key", "sort_dir", "sort", "fields", "offset", "page_reverse"})


def limit_of(call: Call) -> int:
    text = call.asked("limit")
    if not text:
        return MOST
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        raise bad("limit must be a whole number from 0.")
    return min(int(text) or MOST, MOST)


def filtered(call: Call, items: Iterable[Item], *, known: Collection[str] | None = None) -> list[Item]:
    """By every field that the query names; several values of one are alternatives. `known` limits it to these."""
    wanted: dict[str, list[str]] = {}
    for name, text in call.query:
        if name not in NOT_FIELDS and (known is None or name in known):
            wanted.setdefault(name, []).append(text)
    return [
        item for item in items if all(_fits(item.get(name), texts) for name, texts in wanted.items() if name in item)
    ]


def _fits(value: Any, texts: Sequence[str]) -> bool:
    if isinstance(value, bool):
        return str(value).lower() in [text.lower() for text in texts]
    if isinstance(value, list):
        return any(str(one) in texts for one in value)
    return ("" if value is None else str(value)) in texts


def page(call: Call, items: Sequence[Item], *, key: str = "id") -> tuple[list[Item], bool]:
    """From behind the marker; and whether there are more."""
    start = 0
    if marker := call.asked("marker"):
        found = next((at for at, item in enumerate(items) if str(item[key]) == marker), None)
        if found is None:
            raise bad(f"marker {marker[:80]} could not be found.")
        start = found + 1
    most = limit_of(call)
    return list(items[start : start + most]), len(items) > start + most


def ordered(call: Call, items: list[Item]) -> list[Item]:
    keys, ways = (
        [text for name, text in call.query if name == "sort_key"],
        [text for name, text in call.query if name == "sort_dir"],
    )
    if sort := call.asked("sort"):
        pairs = [one.partition(":") for one in sort.split(",")]
        keys, ways = [one[0] for one in pairs], [one[2] or "desc" for one in pairs]
    for at in reversed(range(len(keys))):
        name, down = keys[at], at < len(ways) and ways[at] == "desc"
        items = sorted(items, key=_sortable(name), reverse=down)
    return items


def _sortable(name: str) -> Callable[[Mapping[str, Any]], tuple[str, Any]]:
    def key(item: Mapping[str, Any]) -> tuple[str, Any]:
        value = item.get(name)
        return (type(value).__name__, value if isinstance(value, int | float | str) else str(value))

    return key


def shown(call: Call, items: Iterable[Item]) -> list[Item]:
    """Only the fields that are asked for."""
    fields = [text for name, text in call.query if name == "fields"]
    return [{name: one for name, one in item.items() if name in fields} for item in items] if fields else list(items)
