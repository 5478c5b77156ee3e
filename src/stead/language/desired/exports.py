"""What projects export: values for expressions of other projects, and all that a project file sees of another project.

Who exports says to whom. A value waits for the choices, as outputs do, and is none that a secret went into.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Annotated, Any

from stead.core.diagnostics import Code, Diagnostic
from stead.core.fields import Anything, Example, Expression, Name, Text
from stead.core.value import value
from stead.language import document
from stead.language.desired.model import Export
from stead.language.document import Node, Scalar
from stead.language.expressions import holds_secret
from stead.language.reading import Reading, nearest, read_model, reader_of
from stead.language.reading.readers import FAILED, Read
from stead.language.spec import VariableScope

SECRET = Code("STEAD-G012", "a secret is exported")
NO_PROJECT = Code("STEAD-G013", "an export names an unknown project")

Exported = Mapping[tuple[str, str], frozenset[str]]  # (project, name) -> to whom; to none by name is to all
Said = Mapping[tuple[str, str], tuple[Node, VariableScope]]

_LATE: Read = reader_of(Annotated[Any, Anything(late=True)])


@value
class ForOthers:
    """An export with what is to be said of it. A value alone will do, and is for all projects."""

    value: Annotated[Any, Anything(late=True), "The value", Example("{{ instances.db.address }}")]
    to: Annotated[
        tuple[Annotated[str, Name()], ...], "Projects that may use it; left out, all of the site's", Example(["birch"])
    ] = ()
    description: Annotated[str, Text(lines=True), "For people"] = ""


def known(said: Said) -> Exported:
    """Who may use what, before any value is read: expressions in them may name one another."""
    return {key: frozenset(_named(node)) for key, (node, _) in said.items()}


def _named(node: Node) -> Iterator[str]:
    to = node.child("to") if _is_described(node) else None
    for one in to.items if isinstance(to, document.Sequence) else [to]:
        if isinstance(one, Scalar):
            yield one.text


def _is_described(node: Node) -> bool:
    return isinstance(node, document.Mapping) and "value" in node.entries


def read(key: tuple[str, str], node: Node, scope: VariableScope, reading: Reading) -> Iterator[Export]:
    said: Any = read_model(ForOthers, node, reading) if _is_described(node) else _LATE(node, reading, "")
    if said is FAILED:
        return
    made, to = (said.value, said.to) if isinstance(said, ForOthers) else (said, ())
    if _holds_secret(made):
        text = (
            "A secret goes into it, and a secret stays in its project. Give the other project a variable of its own, "
            "or a `!vault` value."
        )
        reading.tell(SECRET, node.place, text)
        return
    yield Export(project=key[0], name=key[1], value=made, to=to, place=node.place, project_file=scope.project_file)


def for_nobody(exports: Mapping[tuple[str, str], Export], projects: Collection[str]) -> Iterator[Diagnostic]:
    """A misspelt name would export to nobody."""
    for one in exports.values():
        for name in one.to:
            if name not in projects:
                yield NO_PROJECT.at(one.place, f"There is no project {name!r}.{nearest(name, projects)}")


def _holds_secret(made: Any) -> bool:
    match made:
        case Expression():
            return made.secret
        case Mapping():
            return any(map(_holds_secret, made.values()))
        case list() | tuple():
            return any(map(_holds_secret, made))
        case _:
            return holds_secret(made)
