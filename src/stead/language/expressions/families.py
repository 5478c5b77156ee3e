"""Resources by name, as expressions reach them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any


def left_out(family: object, name: str) -> str:
    """Why a family of resources lacks one of its definitions, if it says so."""
    return str(family.left_out(name)) if hasattr(family, "left_out") else ""


class Prefixed(Mapping[str, Any]):
    """The resources of one kind as an included part names them."""

    def __init__(self, family: Mapping[str, Any], prefix: str) -> None:
        self._family, self._prefix = family, prefix

    def __getitem__(self, name: str) -> Any:
        own = self._prefix + str(name)
        return self._family[own if own in self._family else name]

    def left_out(self, name: str) -> str:
        return left_out(self._family, self._prefix + name) or left_out(self._family, name)

    def __iter__(self) -> Iterator[str]:
        return iter(self._family)

    def __len__(self) -> int:
        return len(self._family)
