"""Settings that would do nothing: `ignore` with a misspelt field, `rollout` where there is only one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from stead.core.address import Address
from stead.core.diagnostics import Code, Diagnostic
from stead.core.kind import Kind
from stead.core.value import fields_of
from stead.language import document
from stead.language.reading import nearest
from stead.language.reading.models import word_of
from stead.language.spec import Definition
from stead.language.spec.settings import COUNTED, InBatches

ROLLS_NOTHING = Code("STEAD-L064", "a rollout needs several members")
IGNORES_NOTHING = Code("STEAD-L036", "there is no such field to ignore")


def ignores_nothing(names: Sequence[str], kind: Kind, one: Definition) -> Iterator[Diagnostic]:
    """As the spec names fields, or as a plan does, which is where a user reads them."""
    heads = {name.partition(".")[0] for name in kind.effects}
    known = {*map(word_of, fields_of(kind.model)), *heads, *kind.field_map} - {""}
    address = str(Address(one.project, one.kind, one.name))
    for index, name in enumerate(names):
        if name not in known:
            text = f"{one.kind} have no field {name!r} to ignore; a field is ignored as a whole."
            text += nearest(name.partition(".")[0], known)
            yield IGNORES_NOTHING.at(one.node.place_of(f"ignore.{index}"), text, address=address)


def rolls_nothing(asked: InBatches | None, one: Definition) -> Iterator[Diagnostic]:
    node = one.node
    if asked is not None and not (isinstance(node, document.Mapping) and COUNTED & node.entries.keys()):
        text = "A rollout changes several members in batches. Add `count` or `for_each`, or remove `rollout`."
        yield ROLLS_NOTHING.at(node.place_of("rollout"), text, address=str(Address(one.project, one.kind, one.name)))
