"""What fields of images may be: when one is registered, and in a patch."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from stead.serve.checking import checker
from stead.serve.faults import bad, forbidden
from stead.serve.routes import MAYBE_TEXT

MOST, LONGEST_NAME, LONGEST = 128, 255, 4096  # properties of one image; characters
FIELDS: Mapping[str, Mapping[str, Any]] = {
    "name": MAYBE_TEXT,
    "min_disk": {"type": "integer", "minimum": 0, "maximum": 1 << 20},
    "min_ram": {"type": "integer", "minimum": 0, "maximum": 1 << 30},
    "protected": {"type": "boolean"},
    "tags": {"type": "array", "items": {"type": "string", "pattern": r"^[^/,\x00-\x1f]{1,255}$"}, "maxItems": 128},
}
_CHECKS = {name: checker({"properties": {name: schema}}) for name, schema in FIELDS.items()}


def must_fit(name: str, value: Any) -> None:
    _CHECKS[name]({name: value})


def must_be_properties(found: Mapping[str, Any]) -> None:
    if len(found) > MOST:
        raise bad(f"An image has at most {MOST} properties.")
    if not all(0 < len(name) <= LONGEST_NAME and _is_short(text) for name, text in found.items()):
        text = f"of at most {LONGEST} characters, with names of at most {LONGEST_NAME}"
        raise bad(f"Properties of an image are texts {text}.")


def _is_short(text: Any) -> bool:
    return isinstance(text, str) and len(text) <= LONGEST


def must_not_be_reserved(names: Iterable[str]) -> None:
    if taken := [name for name in names if name.startswith("os_glance")]:
        raise forbidden(f"Attribute '{taken[0][:40]}' is reserved.")
