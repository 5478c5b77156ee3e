"""One value as a short piece of text: sizes with units, secrets hidden, nothing that a terminal would obey."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

SECRET = "(secret)"  # noqa: S105 - what stands in the place of one
NOTHING = "(none)"
LONGEST = 72
_UNITS = ((40, "TiB"), (30, "GiB"), (20, "MiB"))
# Fields that hold bytes, by the last word of their name: nothing in a want says what a number measures.
_SIZES = re.compile(r"(memory|size|disk|swap|ephemeral|storage)$")


def shown(value: Any, field: str = "") -> str:
    match value:
        case None:
            return NOTHING
        case bool():
            return "true" if value else "false"
        case int() if _SIZES.search(field):
            return size(value)
        case str():
            return shortened(value) if value else '""'
        case Mapping() | list() | tuple():
            return _nested(value, field)
        case _:
            return safe(str(value))


def _nested(value: Mapping[str, Any] | Sequence[Any], field: str) -> str:
    if not isinstance(value, Mapping):
        return shortened("[" + ", ".join(shown(one, field) for one in value[:20]) + "]")
    if "$secret" in value:
        return SECRET
    return shortened("{" + ", ".join(f"{key}: {shown(one, str(key))}" for key, one in _few(value)) + "}")


def _few(value: Mapping[str, Any]) -> list[tuple[str, Any]]:
    return [item for item, _ in zip(value.items(), range(20), strict=False)]


def size(number: int) -> str:
    for bits, unit in _UNITS:
        if number >= 1 << bits and not number % (1 << (bits - 10)):
            return f"{number / (1 << bits):.4g} {unit}"
    return f"{number} B"


def safe(text: str) -> str:
    """Escapes what is not printable: what a user's file holds must not steer the reader's terminal."""
    if (
        text.isprintable()
    ):  # nearly everything; a pattern of all that is not takes longer to compile than a plan to make
        return text
    return "".join([one if one.isprintable() else json.dumps(one)[1:-1] for one in text])


def legible(text: str) -> str:
    """What a host says, in as many lines as it said it."""
    return text if text.isprintable() else "\n".join(map(safe, text.splitlines()))


def shortened(text: str, longest: int = LONGEST) -> str:
    """One line. Of several, the first and how many there are."""
    lines = text.splitlines()
    if len(lines) > 1:
        return f"{shortened(lines[0], longest - 12)} … ({len(lines)} lines)"
    if len(text) > longest:
        text = text[: longest - 1] + "…"
    return safe(text.rstrip("\n"))


def is_text(old: Any, new: Any) -> bool:
    """Whether a line by line comparison tells more than old → new."""
    return isinstance(old, str) and isinstance(new, str) and "\n" in old.strip() + new.strip()


def line_changes(old: str, new: str, *, context: int = 1) -> list[str]:
    """Lines with their sign, as `diff -u` has them."""
    import difflib

    lines = difflib.unified_diff(old.splitlines(), new.splitlines(), lineterm="", n=context)
    return [safe(line) for line in lines if not line.startswith(("---", "+++"))]


def leaves(value: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Every field with its dotted name, for `--verbose`."""
    for key, one in value.items():
        name = f"{prefix}{key}"
        if isinstance(one, Mapping) and one and "$secret" not in one:
            yield from leaves(one, f"{name}.")
        else:
            yield name, one


def opened(value: Any) -> Any:
    """For JSON: as it is, with secrets as the text that stands for them."""
    match value:
        case Mapping() if "$secret" in value:
            return SECRET
        case Mapping():
            return {str(key): opened(one) for key, one in value.items()}
        case _ if isinstance(value, Sequence) and not isinstance(value, str):
            return [opened(one) for one in value]
        case _:
            return value
