"""What one expression may cost. A spec may come from a stranger's pull request, and CI reads it before a person does.

Time and memory are counted in parts: a character, an item, fifty for a call. What would cost more than is left is
refused before it is done. Nothing here knows what an expression means.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence, Sized
from functools import wraps
from sys import getsizeof
from typing import Any, Final

LARGEST: Final = 1 << 20  # characters or items that a value may have; user data is bounded at 64 KiB anyway
BUDGET: Final = 1 << 24  # parts: a few seconds at worst
WHOLE: Final = 1 << 29  # parts of all expressions of a plan: a million members with a short one each have enough
KEPT: Final = 1 << 30  # bytes of all that the expressions of a plan come to: it is held until the plan is made
MOST_BITS: Final = 256  # of a number: more than any address, size or id
_CALL: Final = 50
_WIDTH = re.compile(r"[0-9]{5,}|\*")
_GROWING = frozenset(
    {
        "center",
        "expandtabs",
        "format",
        "indent",
        "join",
        "ljust",
        "replace",
        "rjust",
        "wordwrap",
        "zfill",
        "batch",
        "slice",
    }
)

# They look into what is in what they are given.
_DEEP = frozenset(
    {
        "combine",
        "difference",
        "dict2items",
        "flatten",
        "intersect",
        "items2dict",
        "to_yaml",
        "to_nice_yaml",
        "to_nice_json",
        "union",
    }
)
_SLOW = frozenset({"from_yaml", "to_yaml", "to_nice_yaml"})  # twenty parts for each of theirs
_BYTES = frozenset({"encode", "to_bytes"})


class BoundExceeded(Exception):  # noqa: N818 - a mistake of the user's, not a fault
    """Why an expression has no value, in words for its author; `line` counts from 1 within its text."""

    def __init__(self, text: str, line: int = 1) -> None:
        super().__init__(text)
        self.line = line


class Meter:
    """What is left to spend."""

    def __init__(self) -> None:
        self.left = BUDGET
        self.whole = WHOLE
        self.room = KEPT

    def keep(self, value: Any) -> Any:
        """What an expression comes to. A member's own text costs its bytes, also where it was cheap to make."""
        size = _bytes(value)
        if size > self.room:
            raise BoundExceeded(
                "All expressions of the spec together come to too much. Use fewer expressions that "
                "differ between members."
            )
        self.room -= size
        return value

    def spend(self, parts: int) -> None:
        if parts > self.left:  # it is not done, so it costs nothing
            raise BoundExceeded("It takes too many steps. Use fewer loops and filters.")
        if parts > self.whole:
            raise BoundExceeded(
                "All expressions of the spec together take too many steps. Use fewer expressions that "
                "differ between members."
            )
        self.left -= parts
        self.whole -= parts

    def paid(self, parts: int) -> None:
        """For what is done already, however much it was."""
        self.left -= parts
        self.whole -= parts

    def made(self, value: Any) -> Any:
        """Counts a value that was made."""
        if isinstance(value, str | list | tuple | dict):
            if len(value) > LARGEST:
                raise BoundExceeded(f"The result is {len(value):,} parts; at most {LARGEST:,} are possible.")
            self.spend(len(value) if isinstance(value, str) else _items(value))
        elif isinstance(value, int) and value.bit_length() > MOST_BITS:
            raise BoundExceeded("A number in it is too large.")
        return value

    def called(self, name: str, arguments: tuple[Any, ...]) -> None:
        """Before a filter or method is called: it may look at all that it is given."""
        self.spend(_CALL + sum(map(_length, arguments)))
        if name in _DEEP:
            self.spend(sum(map(_items, arguments)))
        if name in _SLOW:
            self.spend(20 * sum(map(_weight, arguments)))
        if name in _BYTES:
            raise BoundExceeded(f"{name!r} makes bytes, which are no value.")
        if name in _GROWING and _product(arguments) > LARGEST * 4:
            raise BoundExceeded(f"What {name!r} would make has more than {LARGEST:,} parts.")
        if name == "sum" and len(arguments) > 1:  # of lists: each sum is made anew
            self.spend(_length(arguments[0]) * max(map(_weight, arguments)))
        if name == "format" and arguments and isinstance(arguments[0], str):
            bounded_format(arguments[0])

    def metered(self, name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        """A filter that is counted. `wraps` keeps what Jinja has noted on it."""
        takes_context = hasattr(function, "jinja_pass_arg")

        @wraps(function)
        def counted(*arguments: Any, **named: Any) -> Any:
            self.called(name, arguments[1 if takes_context else 0 :] + tuple(named.values()))
            return self.made(function(*arguments, **named))

        return counted

    def asked(self, test: Any) -> Callable[..., Any]:
        """A test that is counted: `in` looks through a whole list."""

        @wraps(test)
        def counted(*arguments: Any) -> Any:
            self.spend(1 + sum(map(_looked_at, arguments)))
            return test(*arguments)

        return counted

    def compared(self, value: Any) -> Any:
        """The right side of a comparison, or of `in`."""
        self.spend(_looked_at(value))
        return value

    def looped(self, items: Any, size: int) -> Any:
        """What a loop goes over: counted when it begins, so that loops inside loops cost what they cost.

        `size` is that of the text that each turn prints.
        """
        if isinstance(items, Mapping | str) or not isinstance(items, Sized):
            items = list(items)
        self.spend(_CALL + len(items) * (1 + size))
        return items

    def joined(self, parts: Sequence[Any]) -> str:
        """`~`: all of them as one text."""
        texts = [str(one) for one in parts]
        if sum(map(len, texts)) > LARGEST:
            raise BoundExceeded(f"The result is more than {LARGEST:,} characters.")
        self.spend(sum(map(len, texts)))
        return "".join(texts)


def _items(value: Any) -> int:
    """All items, those of items included: a list that holds the same list or text twice is small and prints large."""
    total, letters, stack = 0, 0, [value]
    while stack:
        one = stack.pop()
        if isinstance(one, str):
            letters += len(one)
            if letters > BUDGET:
                raise BoundExceeded(f"The texts in the result are more than {BUDGET:,} characters.")
        elif isinstance(one, list | tuple | dict):
            total += 1 + len(one)
            stack += [*one, *one.values()] if isinstance(one, dict) else one
            if total > BUDGET // 4:
                raise BoundExceeded(f"The result is more than {BUDGET // 4:,} items.")
    return total


def _bytes(value: Any) -> int:
    """About: a character of a text may take four."""
    total, stack = 0, [value]
    while stack:
        one = stack.pop()
        total += getsizeof(one)
        if isinstance(one, dict):
            stack += [*one, *one.values()]
        elif isinstance(one, list | tuple):
            stack += one
    return total


def bounded_format(text: str) -> None:
    if _WIDTH.search(text):
        raise BoundExceeded("A width in it is too large.")


def _length(value: Any) -> int:
    return len(value) if isinstance(value, str | list | tuple | dict) else 0


def _looked_at(value: Any) -> int:
    """By a comparison: all that is in it."""
    return len(value) if isinstance(value, str) else _items(value)


def _product(arguments: tuple[Any, ...]) -> int:
    """At most what comes of these together: each part of one with all of another."""
    product = 1
    for one in arguments:
        product *= 1 + (abs(one) if isinstance(one, int) else _weight(one))
    return product


def _weight(value: Any) -> int:
    if isinstance(value, str):
        return len(value)
    if isinstance(value, list | tuple | dict):
        return len(value) + sum(len(one) for one in value if isinstance(one, str))
    return 0
