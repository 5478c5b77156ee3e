"""Makes a document of a file's bytes, or tells what is wrong with them.

Built from the events of libyaml with a stack of its own, so that no depth of nesting is a recursion.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import yaml
import yaml.cyaml

from stead.core.diagnostics import Code, Diagnostic, Place
from stead.core.named import NamedTuple
from stead.language.document import VAULT, Mapping, Mark, Node, Scalar, Sequence

NOT_YAML = Code("STEAD-D001", "this is not YAML")
NOT_UTF8 = Code("STEAD-D002", "this is not UTF-8 text")
TWICE = Code("STEAD-D003", "a key is written twice")
MANY = Code("STEAD-D004", "more than one document in a file")
TAG = Code("STEAD-D005", "unknown tag")
MERGE = Code("STEAD-D006", "merge keys are not part of YAML 1.2")
ALIAS = Code("STEAD-D007", "an alias that cannot be followed")
DEEP = Code("STEAD-D008", "nested too deeply")
KEY = Code("STEAD-D009", "a key must be a plain value")
LARGE = Code("STEAD-D010", "too large after aliases are expanded")
BAD_KEY = Code("STEAD-D011", "invalid key")

DEEPEST = 100  # the language needs a dozen
MOST_NODES = 5_000_000  # a flat spec of 100,000 instances has two million; a bomb of aliases has more than atoms
MOST_LETTERS = 1 << 28  # as many as a file may have

# What YAML has no place for, but for halves of characters, which UTF-8 has no place for: a set of these takes a
# fortieth of the time that one of all that is allowed takes to compile.
_ODD = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ufffe\uffff]")


def read(data: bytes, file: str, *, dollars: bool = False) -> tuple[Node | None, list[Diagnostic]]:
    """The one document of a file. None where there is none, or where it could not be read to its end.

    `dollars` is for files that are no specs: keys may begin with $.
    """
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = data[: error.start]
        place = Place(file, before.count(b"\n") + 1, error.start - before.rfind(b"\n"))
        return None, [
            NOT_UTF8.at(place, f"The byte 0x{data[error.start]:02x} is not valid UTF-8. Save the file as UTF-8.")
        ]
    if (odd := _ODD.search(text)) is not None:
        before_text = text[: odd.start()]
        place = Place(file, before_text.count("\n") + 1, odd.start() - before_text.rfind("\n"))
        text = (
            f"The character U+{ord(odd[0]):04X} is not allowed in YAML. Remove it, or write it as an escape in quotes."
        )
        return None, [NOT_YAML.at(place, text)]
    return _Builder(text, file, dollars=dollars).build()


class _Frame:
    """A mapping or sequence that is being read. A mapping waits for a key or for its value."""

    __slots__ = ("anchor", "first", "height", "key", "letters", "node")

    def __init__(self, node: Mapping | Sequence, anchor: str | None, first: int, letters: int) -> None:
        self.node, self.anchor = node, anchor
        self.first, self.letters = first, letters  # how many there were before it
        self.key: Scalar | None = None
        self.height = 1  # how deep it is nested, aliases followed


class _Anchored(NamedTuple):
    node: Node
    values: int  # in it, itself counted
    letters: int
    height: int


class _Builder:
    def __init__(self, text: str, file: str, *, dollars: bool) -> None:
        self.dollars = dollars
        self.parser = yaml.cyaml.CParser(text)  # type: ignore[attr-defined]  # not in its __all__
        self.text, self.file = text, file
        self.found: list[Diagnostic] = []
        self.anchors: dict[str, _Anchored] = {}
        self.nodes = self.letters = 0  # aliases followed
        self.stack: list[_Frame] = []
        self.root: Node | None = None

    def build(self) -> tuple[Node | None, list[Diagnostic]]:
        try:
            documents = 0
            for event in self._events():
                if isinstance(event, yaml.DocumentStartEvent):
                    documents += 1
                    if documents > 1:
                        where = self._place(event.start_mark)
                        self.found.append(
                            MANY.at(where, "A spec is one document. Put the second in a file of its own.")
                        )
                        break
                elif not self._take(event):
                    return None, self.found
        except yaml.YAMLError as error:
            self.found.append(self._broken(error))
            return None, self.found
        return self.root, self.found

    def _events(self) -> Iterator[Any]:
        get = self.parser.get_event
        while (event := get()) is not None:
            yield event

    def _take(self, event: Any) -> bool:
        """False when there is no point in going on."""
        match event:
            case yaml.ScalarEvent():
                node = self._scalar(event)
                if event.anchor:
                    self.anchors[event.anchor] = _Anchored(node, 1, len(node.text), 0)
                self._put(node)
            case yaml.MappingStartEvent() | yaml.SequenceStartEvent():
                return self._open(event, mapping=isinstance(event, yaml.MappingStartEvent))
            case yaml.MappingEndEvent() | yaml.SequenceEndEvent():
                frame = self.stack.pop()
                if frame.anchor:
                    values, letters = self.nodes - frame.first, self.letters - frame.letters
                    self.anchors[frame.anchor] = _Anchored(frame.node, values, letters, frame.height)
                if self.stack:
                    self.stack[-1].height = max(self.stack[-1].height, frame.height + 1)
                self._put(frame.node)
            case yaml.AliasEvent():
                return self._alias(event)
        return True

    def _scalar(self, event: Any) -> Scalar:
        mark, tag = event.start_mark, event.tag
        if tag and tag not in (VAULT, "!", "tag:yaml.org,2002:str"):
            self._refuse_tag(event)
        quoted = not event.implicit[0] or bool(tag)
        self.nodes += 1
        self.letters += len(event.value)
        node = Scalar(self.file, mark.line + 1, mark.column + 1, event.value, plain=not quoted, tag=tag or "")
        if event.style == "|":
            node.style = "|"
        return node

    def _refuse_tag(self, event: Any) -> None:
        text = (
            f"{event.tag} is unknown; only !vault is supported. Leave the tag out, or quote a value to keep it as text."
        )
        if event.tag == VAULT:
            text = "!vault needs one encrypted text, as `ansible-vault encrypt_string` prints it."
        self.found.append(TAG.at(self._place(event.start_mark), text))

    def _open(self, event: Any, *, mapping: bool) -> bool:
        mark = event.start_mark
        if event.tag and event.tag not in ("tag:yaml.org,2002:map", "tag:yaml.org,2002:seq"):
            self._refuse_tag(event)
        if len(self.stack) >= DEEPEST:
            return self._too_deep(mark)
        node = (Mapping if mapping else Sequence)(self.file, mark.line + 1, mark.column + 1)
        self.stack.append(_Frame(node, event.anchor, self.nodes, self.letters))
        self.nodes += 1
        return True

    def _too_deep(self, mark: Any) -> bool:
        self.found.append(DEEP.at(self._place(mark), f"More than {DEEPEST} levels are not supported."))
        return False

    def _alias(self, event: Any) -> bool:
        known = self.anchors.get(event.anchor)
        if known is None:
            where = self._place(event.start_mark)
            open_ones = [frame.anchor for frame in self.stack]
            why = "it is inside itself" if event.anchor in open_ones else f"nothing before it is named &{event.anchor}"
            self.found.append(ALIAS.at(where, f"*{event.anchor} cannot be followed: {why}."))
            self._put(Scalar(self.file, where.line, where.column, "", plain=True))
            return True
        if len(self.stack) + known.height > DEEPEST:
            return self._too_deep(event.start_mark)
        if self.stack:
            self.stack[-1].height = max(self.stack[-1].height, known.height + 1)
        self.nodes += known.values
        self.letters += known.letters
        if self.nodes > MOST_NODES or self.letters > MOST_LETTERS:
            much = f"{MOST_NODES:,} values" if self.nodes > MOST_NODES else f"{MOST_LETTERS:,} characters"
            text = f"After expansion, the aliases make more than {much}."
            self.found.append(LARGE.at(self._place(event.start_mark), text))
            return False
        self._put(known.node)
        return True

    def _put(self, node: Node) -> None:
        """Into what is being read: as an item, as a key, or as the value of the key before it."""
        if not self.stack:
            self.root = node
            return
        frame = self.stack[-1]
        into = frame.node
        if isinstance(into, Sequence):
            into.items.append(node)
        elif frame.key is None:
            frame.key = self._key(node)
        else:
            self._entry(into, frame.key, node)
            frame.key = None

    def _key(self, node: Node) -> Scalar:
        if isinstance(node, Scalar):
            return node
        self.found.append(KEY.at(node.place, "A list or a map cannot be a key. Quote it if it is meant as text."))
        return Scalar(node.file, node.line, node.column, "")

    def _entry(self, into: Mapping, key: Scalar, value: Node) -> None:
        name = key.text
        if name == "<<" and key.plain:
            text = (
                "`<<` is YAML 1.1. Use `profile`, `count`, `for_each` or `include` with parameters to avoid repetition."
            )
            self.found.append(MERGE.at(key.place, text))
        elif name.startswith("$") and not self.dollars:
            text = f"{name!r} cannot be a key: Stead marks sealed secrets with a $. Choose another."
            self.found.append(BAD_KEY.at(key.place, text))
        elif name in into.entries:
            first = into.place_of_key(name)
            text = f"{name!r} is already set at {first}. Only one of them would take effect. Remove or rename one."
            self.found.append(TWICE.at(key.place, text))
        else:
            into.entries[name] = value
            into.keys[name] = Mark(key.line, key.column)

    def _broken(self, error: Any) -> Diagnostic:
        mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
        problem = getattr(error, "problem", None) or str(error).partition("\n")[0]
        context = getattr(error, "context", None)
        lines = self.text.splitlines()
        tab = mark is not None and mark.line < len(lines) and "\t" in lines[mark.line][: mark.column + 1]
        hint = "There is a tab: YAML indents with spaces." if tab else ""
        text = f"The parser says: {f'{context}, ' if context else ''}{problem}. {hint}".rstrip()
        return NOT_YAML.at(self._place(mark) if mark else Place(self.file, 1, 1), text)

    def _place(self, mark: Any) -> Place:
        return Place(self.file, mark.line + 1, mark.column + 1)
