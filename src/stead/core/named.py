"""`NamedTuple`: to type checkers typing's own, and quicker to define.

Typing's compiles every annotation and a constructor for each class, and a plan of two instances defines seventy of
them. Here annotations stay text, and a constructor is compiled for a class that is made often. See docs/adr/0002.
"""

from __future__ import annotations

from _collections import _tuplegetter  # type: ignore[import-not-found]
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, Self

OFTEN = 16  # after so many instances, compiling the constructor of a class pays off


class _Named(tuple[Any, ...]):
    """What all of them can do."""

    __slots__ = ()
    _fields: tuple[str, ...] = ()

    @classmethod
    def _make(cls, values: Iterable[Any]) -> Self:
        return tuple.__new__(cls, values)

    def _replace(self, /, **changes: Any) -> Self:
        made = self._make(map(changes.pop, self._fields, self))
        if changes:
            raise ValueError(f"Got unexpected field names: {list(changes)!r}")
        return made

    def _asdict(self) -> dict[str, Any]:
        return dict(zip(self._fields, self, strict=True))

    def __getnewargs__(self) -> tuple[Any, ...]:
        return tuple(self)

    def __repr__(self) -> str:
        shown = ", ".join(f"{name}={one!r}" for name, one in self._asdict().items())
        return f"{type(self).__name__}({shown})"


class _Defining(type):
    """Turns a class of annotated fields into a plain subclass of tuple."""

    def __new__(cls, name: str, bases: tuple[type, ...], body: dict[str, Any]) -> Any:
        if not bases:
            return super().__new__(cls, name, bases, body)
        fields = tuple(body.get("__annotations__", ()))
        defaults = {one: body[one] for one in fields if one in body}
        own = {"__slots__": (), "_fields": fields, "_field_defaults": defaults, "__match_args__": fields}
        getters = {one: _tuplegetter(number, None) for number, one in enumerate(fields)}
        made: Any = type(name, (_Named,), {**body, **own, **getters})
        made.__new__ = _compiled_when_often_called(made, fields, defaults)
        return made


def _compiled_when_often_called(made: Any, fields: tuple[str, ...], defaults: Mapping[str, Any]) -> Any:
    calls, names = 0, frozenset(fields)

    def seldom(cls: Any, /, *given: Any, **named: Any) -> Any:
        nonlocal calls
        calls += 1
        known = {**defaults, **named, **dict(zip(fields, given))}  # noqa: B905 - what does not fit is seen below
        told = len(given) + len(named)
        if calls < OFTEN and known.keys() == names and told == len({*fields[: len(given)], *named}):
            return tuple.__new__(cls, [known[one] for one in fields])
        made.__new__ = _constructor(fields, defaults)  # which also says what is wrong, in Python's words
        return made.__new__(cls, *given, **named)

    return seldom


def _constructor(fields: tuple[str, ...], defaults: Mapping[str, Any]) -> Any:
    arguments = ", ".join(f"{one}=_defaults[{one!r}]" if one in defaults else one for one in fields)
    values = "".join(f"{one}, " for one in fields)
    scope = {"_new": tuple.__new__, "_defaults": defaults}
    return eval(f"lambda _cls, {arguments}: _new(_cls, ({values}))", scope)  # noqa: S307 - made of field names alone


if TYPE_CHECKING:
    from typing import NamedTuple as NamedTuple  # noqa: PLC0414 - said to be exported
else:

    class NamedTuple(metaclass=_Defining):
        """What a class names as its base."""
