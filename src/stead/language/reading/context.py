"""What the reader carries along: mistakes found, references and late expressions met, and how to look names up."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Protocol

from stead.core.address import Address
from stead.core.diagnostics import Code, Diagnostic, Place
from stead.core.fields import Expression, Ref, Secret
from stead.language.document import VAULT, Mapping, Node, Scalar, Sequence


class ReadingScope(Protocol):
    """What names mean where a value is read."""

    def refer(self, text: str, ref: Ref, place: Place, found: list[Diagnostic]) -> Address | None: ...
    def members(self, ref: Ref, name: str) -> Iterable[int | str] | None:
        """The keys of a definition's members; None where it has no such."""

    def evaluate(self, node: Scalar, found: list[Diagnostic]) -> Any:
        """The value of an early expression. A Secret when it uses one. None with a diagnostic when it fails."""

    def keep(self, node: Scalar, path: str, found: list[Diagnostic]) -> Expression | Secret | None:
        """A late expression, its syntax and names checked."""

    def decrypt(self, node: Scalar, found: list[Diagnostic]) -> Secret | None: ...
    def limits(self) -> type[Any]:
        """The record that `Limits` are read as."""


class Reading:
    """One block's reading. `refs` are the orderly references, `late` the expressions that wait."""

    __slots__ = ("address", "found", "late", "refs", "scope")

    def __init__(self, scope: ReadingScope, address: str = "") -> None:
        self.scope, self.address = scope, address
        self.found: list[Diagnostic] = []
        self.refs: dict[Address, None] = {}
        self.late: list[Expression] = []

    def tell(self, code: Code, place: Place, text: str) -> None:
        self.found.append(code.at(place, text, address=self.address))

    def early(self, node: Node) -> Node | Secret | None:
        """The node itself, or what its expression comes to. None when that failed and was told."""
        if not isinstance(node, Scalar):
            return node
        if node.tag == VAULT:
            return self.scope.decrypt(node, self.found)
        if not node.computes:
            return node
        before = len(self.found)
        value = self.scope.evaluate(node, self.found)
        if len(self.found) > before:
            return None
        return value if isinstance(value, Secret) else node_of(value, node)


def node_of(value: Any, at: Node) -> Node:
    """A value that was computed, standing where its expression stood."""
    file, line, column = at.file, at.line, at.column
    if isinstance(value, dict):
        mapping = Mapping(file, line, column)
        mapping.entries = {str(key): node_of(one, at) for key, one in value.items()}
        return mapping
    if isinstance(value, list | tuple):
        sequence = Sequence(file, line, column)
        sequence.items = [node_of(one, at) for one in value]
        return sequence
    if isinstance(value, str):
        return Scalar(file, line, column, value)
    words = {None: "null", True: "true", False: "false"}
    text = words[value] if value is None or isinstance(value, bool) else str(value)
    return Scalar(file, line, column, text, plain=True)


def nearest(word: str, known: Iterable[str]) -> str:
    """` Did you mean ...?`, or nothing."""
    import difflib

    match = difflib.get_close_matches(word, list(known), n=1, cutoff=0.6)
    return f" Did you mean {match[0]!r}?" if match else ""


def kind_of(node: Node) -> str:
    """What a node is, in a user's words."""
    match node:
        case Mapping():
            return "a map"
        case Sequence():
            return "a list"
        case Scalar():
            value = node.value
            if value is None:
                return "nothing"
            if isinstance(value, bool):
                return f"{node.text} (yes or no)"
            shown = f"{node.text!r}" if len(node.text) < 60 else "a text"
            return f"{shown} (with a no-break space, U+00A0: type a plain one)" if "\u00a0" in node.text else shown
        case _:
            raise AssertionError(node)
