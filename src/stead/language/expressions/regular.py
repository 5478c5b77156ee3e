"""Filters and tests by regular expressions, with Ansible's names. Each is bounded in time, and pays for its time."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from stead.language.expressions.bounds import BUDGET, LARGEST, BoundExceeded, Meter
from stead.language.expressions.filters import text_of
from stead.language.patterns import LONGEST, MOST, FindsTooMuch, TooLong, asked

LONGEST_PATTERN = 1000
_GROUP = re.compile(r"\\(?:g<(?P<name>[A-Za-z_][A-Za-z0-9_]*|[0-9]{1,2})>|(?P<number>[0-9]{1,2}))")


class Regular:
    def __init__(self, meter: Meter) -> None:
        self._meter = meter
        self.filters: dict[str, Callable[..., Any]] = {
            "regex_search": self.search,
            "regex_findall": lambda text, pattern, **flags: self._asked("all", pattern, text, flags),
            "regex_replace": self.replace,
            "regex_escape": lambda text: re.escape(text_of(text)),
        }
        self.tests: dict[str, Callable[..., bool]] = {
            "match": lambda text, pattern, **flags: self._asked("match", pattern, text, flags),
            "search": lambda text, pattern, **flags: self._asked("search", pattern, text, flags) is not None,
        }

    def search(self, text: Any, pattern: str, *groups: str, **flags: bool) -> Any:
        r"""What matches first, or of that the groups `\1` or `\g<name>`. An empty text if nothing does."""
        found = self._asked("search", pattern, text, flags)
        if found is None:
            return ""
        return [_group(found, group) for group in groups] if groups else found["whole"]

    def replace(self, text: Any, pattern: str = "", replacement: str = "", **flags: bool) -> str:
        if (len(text_of(text)) + 1) * (len(replacement) + 1) > LARGEST * 4:
            raise BoundExceeded(f"What 'regex_replace' would make has more than {LARGEST:,} parts.")
        return str(self._asked("replace", pattern, text, flags, replacement))

    def _asked(self, work: str, pattern: str, text: Any, flags: dict[str, bool], replacement: str = "") -> Any:
        if len(pattern) > LONGEST_PATTERN:
            raise BoundExceeded(f"A regular expression has at most {LONGEST_PATTERN:,} characters.")
        try:
            found, seconds = asked(work, pattern, text_of(text), replacement, _flags(flags))
        except TooLong:
            self._meter.paid(int(LONGEST * BUDGET))
            raise BoundExceeded(
                f"The regular expression takes too long: {pattern[:60]}. Let no repeat in it stand inside another of "
                "the same."
            ) from None
        except FindsTooMuch:
            self._meter.paid(int(LONGEST * BUDGET))
            raise BoundExceeded(f"What {pattern[:60]} finds has more than {MOST:,} characters and groups.") from None
        except ValueError as error:
            raise BoundExceeded(f"It is not a regular expression: {error}.") from None
        self._meter.paid(int(seconds * BUDGET))
        return found


def _flags(said: dict[str, bool]) -> int:
    known = {"multiline": re.MULTILINE, "ignorecase": re.IGNORECASE}
    if unknown := sorted(said.keys() - known.keys()):
        raise BoundExceeded(f"There is no option {unknown[0]!r}. There are {' and '.join(known)}.")
    return int(sum(known[name] for name, on in said.items() if on))


def _group(found: dict[str, Any], group: str) -> str:
    said = _GROUP.fullmatch(group)
    if said is None:
        raise BoundExceeded(rf"{group!r} is not a group, such as '\1' or '\g<name>'.")
    name = said["name"] or said["number"]
    groups: Any = found["named"] if not name.isdigit() else dict(enumerate((found["whole"], *found["numbered"])))
    key: Any = int(name) if name.isdigit() else name
    if key not in groups:
        raise BoundExceeded(f"The regular expression has no group {name}.")
    return groups[key] or ""
