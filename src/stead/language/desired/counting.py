"""How many members a definition has, and what they are called."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

from stead.core.address import NAME
from stead.core.diagnostics import Code
from stead.core.fields import Secret
from stead.core.value import positional
from stead.language import document
from stead.language.desired.scope import Keys
from stead.language.document import Node, Scalar
from stead.language.reading import OUT_OF_RANGE, WRONG_FORM, WRONG_TYPE, Reading
from stead.language.reading.codes import SHOWN
from stead.language.reading.context import kind_of

NOT_COUNTED = Code("STEAD-L026", "this kind has no count")
MOST: Final = 1_000_000  # members of one block; a typing mistake, beyond


@positional
class Counted:
    """None said, a count, or the entries of for_each."""

    keys: Keys
    each: Mapping[str, Any] | None = None


ONE = Counted(None)


def few(count: Counted) -> Counted:
    """The first member of many."""
    if count.keys is None or len(count.keys) <= 1:
        return count
    return Counted(range(1) if count.each is None else dict.fromkeys([str(next(iter(count.keys)))]), count.each)


def counted(node: Node, kind: str, *, may: bool, reading: Reading) -> Counted:
    count, for_each = node.child("count"), node.child("for_each")
    said = count if count is not None else for_each
    if said is None:
        return ONE
    if not may:
        reading.tell(NOT_COUNTED, said.place, f"{kind} support neither count nor for_each. Define each one separately.")
        return ONE
    if count is not None and for_each is not None:
        reading.tell(NOT_COUNTED, for_each.place, "count and for_each exclude each other. Keep one.")
    value = reading.early(said)
    if isinstance(value, Secret):
        reading.tell(
            SHOWN,
            said.place,
            "A secret cannot be used for count or for_each: names and numbers are visible everywhere.",
        )
        return ONE
    if value is None:
        return ONE
    return _number(value, reading) if count is not None else _entries(value, reading)


def _number(node: Node, reading: Reading) -> Counted:
    value = node.value if isinstance(node, Scalar) else None
    if not isinstance(value, int) or isinstance(value, bool):
        reading.tell(WRONG_TYPE, node.place, f"This is {kind_of(node)}; count must be a whole number.")
        return ONE
    if not 0 <= value <= MOST:
        reading.tell(OUT_OF_RANGE, node.place, f"count is {value}; it may be 0 to {MOST:,}.")
        return ONE
    return Counted(range(value))


def _entries(node: Node, reading: Reading) -> Counted:
    match node:
        case document.Mapping():
            each = {key: document.plain(below) for key, below in node.entries.items()}
            at = {key: node.place_of_key(key) for key in each}
        case document.Sequence():
            each = {str(document.plain(item)): document.plain(item) for item in node.items}
            at = {str(document.plain(item)): item.place for item in node.items}
            if len(each) < len(node.items):
                reading.tell(WRONG_FORM, node.place, "for_each has a value twice. Each names one member.")
        case _:
            text = f"This is {kind_of(node)}; for_each must be a list of names, or a map with names as keys."
            reading.tell(WRONG_TYPE, node.place, text)
            return ONE
    bad = [name for name in each if not NAME.fullmatch(name)]
    if bad:
        form = "lower case letters, digits and dashes, beginning with a letter"
        more = f" The same holds for {len(bad) - 1} more." if len(bad) > 1 else ""
        hint = " For members by number, write `count`." if all(name.isdigit() for name in bad) else ""
        reading.tell(WRONG_FORM, at[bad[0]], f"{bad[0][:70]!r} cannot be a key of for_each: {form}.{hint}{more}")
    return ONE if bad else Counted(dict.fromkeys(sorted(each)), MappingProxyType(each))
