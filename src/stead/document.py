"""The user's YAML as read, with the line and column of every value."""

from __future__ import annotations

from stead.diagnostics import Place


class Node:
    """A value of the document. Subclasses: Scalar, Sequence, Mapping."""

    __slots__ = ("column", "file", "line")

    def place_of(self, path: str) -> Place:
        raise NotImplementedError
