"""The examples in the help of fields are what a user copies: each must read without a complaint."""

from __future__ import annotations

import dataclasses
import typing
from collections.abc import Iterator
from typing import Annotated, Any, get_args, get_origin

import pytest

from stead.core.address import Address
from stead.core.diagnostics import Diagnostic, Place
from stead.core.fields import Example, Expression, Ref, Secret
from stead.kinds import kinds
from stead.language.document import Scalar
from stead.language.reading import Reading, reader_of
from stead.language.reading.context import node_of
from stead.language.spec.quota import quota_model


class Anything:
    """Every name leads somewhere. An example asks for nothing else: one that does fails here."""

    def members(self, ref: Ref, name: str) -> None:
        del ref, name

    def refer(self, text: str, ref: Ref, place: Place, found: list[Diagnostic]) -> Address | None:  # noqa: ARG002
        return Address("", ref.kind, text)

    def evaluate(self, node: Scalar, found: list[Diagnostic]) -> Any:
        raise NotImplementedError

    def keep(self, node: Scalar, path: str, found: list[Diagnostic]) -> Expression | Secret | None:
        raise NotImplementedError

    def decrypt(self, node: Scalar, found: list[Diagnostic]) -> Secret | None:
        raise NotImplementedError

    def limits(self) -> type[Any]:
        return quota_model(kinds())


def _fields(model: Any) -> Iterator[tuple[str, Any]]:
    for name, hint in typing.get_type_hints(model, include_extras=True).items():
        yield f"{model.__name__}.{name.rstrip('_')}", hint
        for part in _parts(hint):
            if dataclasses.is_dataclass(part):
                yield from _fields(part)


def _parts(hint: Any) -> Iterator[Any]:
    yield hint
    for part in get_args(hint)[:1] if get_origin(hint) is Annotated else get_args(hint):
        yield from _parts(part)


def _examples() -> list[Any]:
    found = {name: hint for kind in kinds().values() for name, hint in _fields(kind.model)}
    return [
        pytest.param(hint, note.value, id=name)
        for name, hint in found.items()
        if get_origin(hint) is Annotated
        for note in hint.__metadata__
        if isinstance(note, Example)
    ]


@pytest.mark.parametrize(("hint", "value"), _examples())
def test_an_example_reads(hint: Any, value: Any) -> None:
    reading = Reading(Anything())
    reader_of(hint)(node_of(value, Scalar("", 1, 1, "")), reading, "")
    assert not reading.found
