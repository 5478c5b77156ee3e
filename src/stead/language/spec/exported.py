"""A document of the API as the text of a project's file, and a project's file as a document.

Text of a document is literal, and text of a file may be an expression: braces are written so that they stay braces.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from stead.core.diagnostics import Code, Diagnostic, Refused
from stead.language import document
from stead.language.document import Node, Scalar
from stead.language.expressions import has_expression
from stead.language.spec.files import Files
from stead.language.spec.settings import COMPOSED

NOT_LITERAL = Code("STEAD-L048", "the API's projects have no expressions, secrets or inclusions")
_BRACES = re.compile(r"\{[{%#]")
_WRITTEN = re.compile(r"\{\{ '(\{[{%#])' \}\}")  # as they are written
_OWN = "project"  # what a document says of the project itself; that is the site's files' to say
_OF_FILES = ("vars", "profiles", "include", "exports", "moved", "forget")


def exported(project: str, content: Mapping[str, Any]) -> str:
    import yaml

    from stead.language.document.writer import written

    head = ["A project's file. The site's files include it:", f"  include: [{{project: {project}, from: THIS FILE}}]"]
    if own := content.get(_OWN):
        said = yaml.safe_dump({"projects": {project: own}}, default_flow_style=True, width=1000)
        head += ["and say of the project itself:", f"  {said.strip()}"]
    tree = {"stead": 1, **_escaped({word: one for word, one in content.items() if word != _OWN})}
    return "".join(f"# {line}\n" for line in head) + written(tree)


def read_exported(path: Path) -> Mapping[str, Any]:
    """What a project's file says, as a document says it. Refused where a document cannot say it."""
    files = Files(Path.cwd())
    node = files.document(path)
    if not isinstance(node, document.Mapping):
        raise Refused(*files.found or [NOT_LITERAL.at(None, f"{path} has no resources.")])
    words = [word for word in node.entries if word in _OF_FILES]
    told = (
        NOT_LITERAL.at(node.place_of_key(word), f"The API's projects have no `{word}`. Remove it.") for word in words
    )
    found = [*files.found, *told, *_composed(node)]
    content = {word: _literal(below, found) for word, below in node.entries.items() if word != "stead"}
    if found:
        raise Refused(*found)
    return content


def _composed(node: document.Mapping) -> Iterator[Diagnostic]:
    for section in node.entries.values():
        for one in section.entries.values() if isinstance(section, document.Mapping) else ():
            for word in COMPOSED & one.entries.keys() if isinstance(one, document.Mapping) else ():
                yield NOT_LITERAL.at(one.place_of(word), f"The API's projects have no `{word}`. Write the fields out.")


def _escaped(value: Any) -> Any:
    match value:
        case Mapping():
            return {name: _escaped(one) for name, one in value.items()}
        case list() | tuple():
            return [_escaped(one) for one in value]
        case str() if has_expression(value):
            return _BRACES.sub(lambda found: f"{{{{ '{found.group()}' }}}}", value)
        case _:
            return value


def _literal(node: Node, found: list[Diagnostic]) -> Any:
    match node:
        case document.Mapping():
            return {word: _literal(below, found) for word, below in node.entries.items()}
        case document.Sequence():
            return [_literal(one, found) for one in node.items]
        case Scalar() if node.tag or has_expression(_WRITTEN.sub("", node.text)):
            found.append(NOT_LITERAL.at(node.place, "A project of the API has no expressions. Write the value itself."))
            return None
        case Scalar():
            return _WRITTEN.sub(r"\1", node.text) if node.computes else node.value
        case _:
            raise AssertionError(node)
