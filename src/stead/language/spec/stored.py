"""Documents that come from the store instead of a file: the API's people asked for what they say, and own the project.

All of their text is literal: a name, a user data or a tag with `{{` in it is that text, and no expression of Stead's.
"""

from __future__ import annotations

import json
from collections.abc import Container, Iterator, Mapping, Sequence
from typing import Any

from stead.core.address import Address, parse
from stead.core.diagnostics import Code, Diagnostic
from stead.core.value import field, value
from stead.language import document
from stead.language.document import Literal, Node
from stead.language.spec.model import Definition


class LiteralNodes:
    """Nodes of documents, made once for each entry of a section: what is written as it was is the same node."""

    def __init__(self) -> None:
        self._made: dict[str, dict[tuple[str, str], tuple[str, Node]]] = {}

    def of(self, content: Mapping[str, Any], file: str) -> document.Mapping:
        made = dict[tuple[str, str], tuple[str, Node]]()
        top = document.Mapping(file, 1, 1)
        for section, said in content.items():
            if isinstance(said, Mapping):
                below = document.Mapping(file, 1, 1)
                below.entries = {name: self._entry((section, name), one, file, made) for name, one in said.items()}
                top.entries[section] = below
            else:
                top.entries[section] = _node(said, file)
        self._made[file] = made
        return top

    def keep(self, files: Container[str]) -> None:
        """The other projects are gone."""
        self._made = {file: made for file, made in self._made.items() if file in files}

    def _entry(self, key: tuple[str, str], said: Any, file: str, made: dict[tuple[str, str], tuple[str, Node]]) -> Node:
        """Compared by its text, to the letter: to Python, 1 and true are equal, and so are maps in another order."""
        text = json.dumps(said, default=str)
        last = self._made.get(file, {}).get(key)
        made[key] = last if last is not None and last[0] == text else (text, _node(said, file))
        return made[key][1]


@value
class Stored:
    """What a spec has beside its files."""

    documents: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)  # project -> its contents
    uploads: str = ""  # the folder of images that came through the API; each project has one below it
    nodes: LiteralNodes = field(default_factory=LiteralNodes)

    def passed(self) -> dict[Address, Address]:
        """What a project has given to another, where the documents of both say so. What only one says is nothing."""
        said: dict[tuple[str, str], set[str]] = {}
        for project, content in self.documents.items():
            for old, new in content.get(PASSED, ()):
                said.setdefault((old, new), set()).add(project)
        pairs = ((parse(old), parse(new), by) for (old, new), by in said.items())
        return {old: new for old, new, by in pairs if old and new and by == {old.project, new.project}}


PASSED = "passed"  # in a document: pairs of addresses, that a resource had and has
NOTHING_STORED = Stored()
TWO_OWNERS = Code("STEAD-G009", "a project is defined in files and through the API")


def document_of(project: str) -> str:
    """What stands in the place of a file's name."""
    return f"the API's document of {project}"


def _node(said: Any, file: str) -> Node:
    match said:
        case Mapping():
            mapping = document.Mapping(file, 1, 1)
            mapping.entries = {name: _node(one, file) for name, one in said.items()}
            return mapping
        case list() | tuple():
            sequence = document.Sequence(file, 1, 1)
            sequence.items = [_node(one, file) for one in said]
            return sequence
        case str():
            return Literal(file, 1, 1, said)
        case None:
            return Literal(file, 1, 1, "null", plain=True)
        case bool():
            return Literal(file, 1, 1, str(said).lower(), plain=True)
        case _:
            return Literal(file, 1, 1, str(said), plain=True)


def twice_owned(project: str, others: Sequence[Definition]) -> Iterator[Diagnostic]:
    """Told once for each file."""
    for file, one in {each.node.file: each for each in others}.items():
        text = (
            f"{file} has resources of project {project}, but this project is managed through the API. Remove "
            "the resources from the file, or delete the project through the API first."
        )
        yield TWO_OWNERS.at(one.node.place, text)
