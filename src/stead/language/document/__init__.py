"""The user's YAML as read, with the line and column of every value and key.

Types are YAML 1.2's: `yes` is a word, `22:30` is text, `0o17` is fifteen. It knows no kinds and no fields, and no
parser: `parser` makes it.
"""

from __future__ import annotations

import re
from collections.abc import Container
from typing import Any

from stead.core.diagnostics import Place
from stead.core.named import NamedTuple

VAULT = "!vault"

_INT = re.compile(r"[-+]?[0-9]+")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_OCTAL = re.compile(r"0o[0-7]{1,300}")
_HEXADECIMAL = re.compile(r"0x[0-9a-fA-F]{1,300}")
_WORDS: dict[str, Any] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
    **dict.fromkeys((".inf", ".Inf", ".INF", "+.inf"), float("inf")),
    "-.inf": float("-inf"),
    ".nan": float("nan"),
}


class Mark(NamedTuple):
    line: int
    column: int


class Node:
    """A value of the document. Scalar, Sequence and Mapping are what there is."""

    __slots__ = ("column", "file", "line")

    def __init__(self, file: str, line: int, column: int) -> None:
        self.file, self.line, self.column = file, line, column

    @property
    def place(self) -> Place:
        return Place(self.file, self.line, self.column)

    def place_of(self, path: str) -> Place:
        """The place of `networks.0.address` below this node, or of the nearest value around it that was written."""
        node: Node = self
        for word in path.split(".") if path else ():
            below = node.child(word)
            if below is None:
                break
            node = below
        return node.place

    def child(self, word: str) -> Node | None:  # noqa: ARG002 - a scalar has none
        return None


class Scalar(Node):
    __slots__ = ("plain", "style", "tag", "text")

    def __init__(self, file: str, line: int, column: int, text: str, *, plain: bool = False, tag: str = "") -> None:
        self.file, self.line, self.column = file, line, column
        self.text, self.plain, self.tag = text, plain, tag
        self.style = ""

    def place_within(self, line: int) -> Place:
        """The place of a line of the text: the file's own lines are those of a block (`|`), and of no other style."""
        return Place(self.file, self.line + line, 1) if self.style == "|" else self.place

    @property
    def value(self) -> Any:
        """By the rules of YAML 1.2's core schema. Quoted is always text."""
        return resolve(self.text) if self.plain else self.text

    @property
    def computes(self) -> bool:
        """Whether an expression stands in it."""
        return "{{" in self.text or "{%" in self.text


class Literal(Scalar):
    """A value that came through the API: braces in it are braces."""

    __slots__ = ()

    @property
    def computes(self) -> bool:
        return False


class Sequence(Node):
    __slots__ = ("items",)

    def __init__(self, file: str, line: int, column: int) -> None:
        self.file, self.line, self.column = file, line, column
        self.items: list[Node] = []

    def child(self, word: str) -> Node | None:
        at = int(word) if word.isascii() and word.isdigit() and len(word) < 10 else len(self.items)
        return self.items[at] if at < len(self.items) else None


class Mapping(Node):
    __slots__ = ("entries", "keys")

    def __init__(self, file: str, line: int, column: int) -> None:
        self.file, self.line, self.column = file, line, column
        self.entries: dict[str, Node] = {}
        self.keys: dict[str, Mark | Place] = {}  # a Place, where it is another file's

    def child(self, word: str) -> Node | None:
        return self.entries.get(word)

    def place_of_key(self, key: str) -> Place:
        mark = self.keys.get(key)
        if mark is None or isinstance(mark, Place):
            return mark or self.place
        return Place(self.file, mark.line, mark.column)

    def only(self, words: Container[str]) -> Mapping:
        """The same with fewer entries."""
        some = Mapping(self.file, self.line, self.column)
        some.entries = {word: below for word, below in self.entries.items() if word in words}
        some.keys = self.keys
        return some

    def without(self, words: Container[str]) -> Mapping:
        return self.only([word for word in self.entries if word not in words])


def resolve(text: str) -> Any:
    if text in _WORDS:
        return _WORDS[text]
    if _INT.fullmatch(text):
        return int(text) if len(text) < 400 else text
    if text[:2] == "0o" and _OCTAL.fullmatch(text):
        return int(text, 8)
    if text[:2] == "0x" and _HEXADECIMAL.fullmatch(text):
        return int(text, 16)
    return float(text) if _FLOAT.fullmatch(text) else text


def plain(node: Node) -> Any:
    """The JSON value of a node, for fields that take anything."""
    match node:
        case Mapping():
            return {key: plain(value) for key, value in node.entries.items()}
        case Sequence():
            return [plain(item) for item in node.items]
        case Scalar():
            return node.value
        case _:
            raise AssertionError(node)
