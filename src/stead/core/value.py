"""`@value`: a frozen record with slots and keyword arguments, like `dataclass(frozen=True, slots=True, kw_only=True)`.

A plan of two instances makes a hundred such classes and should take a tenth of a second. The standard decorator
compiles seven functions a class and imports `inspect`; this one compiles one, for classes that are called often. To
type checkers and to `dataclasses.fields`, `replace` and `asdict` there is no difference. See docs/adr/0002.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from operator import attrgetter
from typing import Any, TypeVar, dataclass_transform, overload

from stead.core.named import OFTEN, NamedTuple

T = TypeVar("T")
_MISSING: Any = object()


class FieldDefault(NamedTuple):
    """Defaults and settings of one field."""

    default: Any = _MISSING
    default_factory: Any = _MISSING
    repr: bool = True
    compare: bool = True

    @property
    def required(self) -> bool:
        return self.default is _MISSING and self.default_factory is _MISSING


def field(
    *,
    default: Any = _MISSING,
    default_factory: Any = _MISSING,
    repr: bool = True,  # noqa: A002 - the standard's word
    compare: bool = True,
) -> Any:
    return FieldDefault(default, default_factory, repr, compare)


@overload
def value(cls: type[T], /) -> type[T]: ...
@overload
def value(*, eq: bool = True, positional: bool = False) -> Callable[[type[T]], type[T]]: ...
@dataclass_transform(frozen_default=True, kw_only_default=True, eq_default=True, field_specifiers=(field,))
def value(cls: Any = None, /, *, eq: bool = True, positional: bool = False) -> Any:
    if cls is None:
        return lambda made: _value(made, eq=eq, positional=positional)
    return _value(cls, eq=eq, positional=positional)


@dataclass_transform(frozen_default=True, kw_only_default=False, eq_default=True, field_specifiers=(field,))
def positional(cls: type[T]) -> type[T]:
    """A value with positional fields, for short values such as `Whole(1)`."""
    made: type[T] = _value(cls, eq=True, positional=True)
    return made


@dataclass_transform(kw_only_default=False, field_specifiers=(field,))
def mutable(cls: type[T]) -> type[T]:
    """A mutable record for one computation. It is equal only to itself."""
    made: Any = _value(cls, eq=False, positional=True)
    made.__setattr__, made.__delattr__ = object.__setattr__, object.__delattr__
    return made  # type: ignore[no-any-return]


def _value(cls: Any, *, eq: bool, positional: bool) -> Any:
    fields = {name: _field(cls, name) for name, said in _annotations(cls).items() if "ClassVar" not in said}
    kept = {name: one for name, one in cls.__dict__.items() if name not in fields and name not in _OWN}
    body = {**kept, "__slots__": tuple(fields), "__match_args__": tuple(fields) if positional else ()}
    made: Any = type(cls)(cls.__name__, cls.__bases__, {**body, "__qualname__": cls.__qualname__})
    made.__fields__ = fields
    made.__init__ = _compiled_when_often_called(made, fields, positional=positional)
    made.__dataclass_fields__ = _StandardFields()
    made.__setattr__, made.__delattr__ = _frozen, _frozen
    made.__getstate__, made.__setstate__ = _state, _restore
    if "__repr__" not in kept:
        made.__repr__ = _repr
    if eq and "__eq__" not in kept:
        names = [name for name, one in fields.items() if one.compare]
        key = attrgetter(*names) if names else type
        made.__eq__ = lambda self, other: key(self) == key(other) if other.__class__ is made else NotImplemented
        made.__hash__ = lambda self: hash(key(self))
    return made


_OWN = ("__dict__", "__weakref__")


def _annotations(cls: type) -> Mapping[str, str]:
    own = cls.__dict__.get("__annotations__", {})  # noqa: RUF063 - importing inspect is what this avoids
    return {name: str(said) for name, said in own.items()}


def _field(cls: type, name: str) -> FieldDefault:
    said = cls.__dict__.get(name, _MISSING)
    return said if isinstance(said, FieldDefault) else FieldDefault(default=said)


def _compiled_when_often_called(made: Any, fields: Mapping[str, FieldDefault], *, positional: bool) -> Any:
    """Compiles the constructor late: most classes are called only a few times in one command, or never."""
    calls = 0

    def seldom(self: Any, *given: Any, **named: Any) -> None:
        nonlocal calls
        calls += 1
        known = {**dict(zip(fields, given)), **named} if positional else named  # noqa: B905 - what does not fit is seen
        if calls < OFTEN and len(known) == len(given) + len(named) and _set(self, fields, known):
            return
        made.__init__ = _init(made, fields, positional=positional)  # which also says what is wrong, in Python's words
        made.__init__(self, *given, **named)

    return seldom


def _set(self: Any, fields: Mapping[str, FieldDefault], known: Mapping[str, Any]) -> bool:
    """Sets the fields if exactly the required and known ones are given; says whether it did."""
    left = len(known)
    for name, one in fields.items():
        if name in known:
            object.__setattr__(self, name, known[name])
            left -= 1
        elif one.required:
            return False
        else:
            object.__setattr__(self, name, one.default if one.default_factory is _MISSING else one.default_factory())
    return not left


def _init(made: type, fields: Mapping[str, FieldDefault], *, positional: bool) -> Any:
    """The only compiled function. It sets slots through their descriptors, because `__setattr__` refuses."""
    scope: dict[str, Any] = {"_M": _MISSING}
    arguments, lines = [], []
    for name, one in fields.items():
        scope[f"_s_{name}"] = getattr(made, name).__set__
        given = name
        if one.default is not _MISSING:
            scope[f"_d_{name}"] = one.default
            arguments.append(f"{name}=_d_{name}")
        elif one.default_factory is not _MISSING:
            scope[f"_f_{name}"] = one.default_factory
            arguments.append(f"{name}=_M")
            given = f"_f_{name}() if {name} is _M else {name}"
        else:
            arguments.append(name)
        lines.append(f" _s_{name}(self, {given})")
    star = [] if positional or not arguments else ["*"]
    text = f"def __init__({', '.join(['self', *star, *arguments])}):\n" + ("\n".join(lines) or " pass")
    exec(text, scope)  # noqa: S102 - made of field names alone
    return scope["__init__"]


def _frozen(self: Any, name: str, _value: Any = None) -> None:
    raise AttributeError(f"{type(self).__name__} is a value: {name!r} cannot change")


def _state(self: Any) -> list[Any]:
    return [getattr(self, name) for name in self.__fields__]


def _restore(self: Any, state: list[Any]) -> None:
    for name, one in zip(self.__fields__, state, strict=True):
        getattr(type(self), name).__set__(self, one)


def _repr(self: Any) -> str:
    shown = ", ".join(f"{name}={getattr(self, name)!r}" for name, one in self.__fields__.items() if one.repr)
    return f"{type(self).__qualname__}({shown})"


class _StandardFields:
    """`__dataclass_fields__`, made on first use: only schema, reference and tests use it."""

    def __get__(self, _instance: Any, owner: type) -> dict[str, Any]:
        import dataclasses

        missing = dataclasses.MISSING
        found: dict[str, Any] = {}
        for name, one in fields_of(owner).items():
            default = missing if one.default is _MISSING else one.default
            factory = missing if one.default_factory is _MISSING else one.default_factory
            made: Any = dataclasses.Field(default, factory, True, one.repr, None, one.compare, {}, True)  # type: ignore[arg-type]
            made.name, made.type = name, owner.__annotations__[name]
            made._field_type = dataclasses._FIELD  # type: ignore[attr-defined]  # noqa: SLF001 - what `fields` looks for
            found[name] = made
        return found


def fields_of(cls: type) -> Mapping[str, FieldDefault]:
    """The fields of a value, in order."""
    found: Mapping[str, FieldDefault] = cls.__fields__  # type: ignore[attr-defined]
    return found


def is_value(cls: Any) -> bool:
    return isinstance(cls, type) and hasattr(cls, "__fields__")


def replace(one: T, /, **changes: Any) -> T:
    """A copy with some fields changed."""
    return type(one)(**{name: getattr(one, name) for name in fields_of(type(one))} | changes)


def as_dict(one: Any) -> Any:
    """A value and all values in it as dictionaries, for JSON."""
    if is_value(type(one)):
        return {name: as_dict(getattr(one, name)) for name in fields_of(type(one))}
    if isinstance(one, tuple) and hasattr(one, "_fields"):
        return {name: as_dict(below) for name, below in zip(one._fields, one, strict=True)}
    if isinstance(one, Mapping):
        return {name: as_dict(below) for name, below in one.items()}
    if isinstance(one, set | frozenset):  # their order differs between processes
        return sorted((as_dict(below) for below in one), key=str)
    return [as_dict(below) for below in one] if isinstance(one, list | tuple) else one
