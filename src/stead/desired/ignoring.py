"""What `ignore` names, held to what there is: a misspelt field would not be left alone."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from stead.address import Address
from stead.diagnostics import Code, Diagnostic
from stead.kind import Kind
from stead.reading import nearest
from stead.reading.models import word_of
from stead.spec import Definition
from stead.value import fields_of

IGNORES_NOTHING = Code("STEAD-L036", "there is no such field to ignore")


def ignores_nothing(names: Sequence[str], kind: Kind, one: Definition) -> Iterator[Diagnostic]:
    """As the spec names fields, or as a plan does, which is where a user reads them."""
    heads = {name.partition(".")[0] for name in kind.effects}
    known = {*map(word_of, fields_of(kind.model)), *heads, *kind.places} - {""}
    address = str(Address(one.project, one.kind, one.name))
    for index, name in enumerate(names):
        if name not in known:
            text = f"{one.kind} have no field {name!r} to ignore; a field is ignored as a whole."
            text += nearest(name.partition(".")[0], known)
            yield IGNORES_NOTHING.at(one.node.place_of(f"ignore.{index}"), text, address=address)
