"""`outputs` and `checks`: what a spec says about the outcome. They wait for the choices; here they are only read."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any, Literal

from stead.core.fields import Anything, Example, Expression, Text
from stead.core.value import value
from stead.language import document
from stead.language.desired.composing import is_there
from stead.language.desired.model import Check, Output
from stead.language.document import Node
from stead.language.reading import WRONG_TYPE, Reading, read_model, reader_of
from stead.language.reading.codes import MISSING
from stead.language.reading.context import kind_of
from stead.language.reading.readers import FAILED, Read

WHEN = Annotated[bool, "Whether it is there; an expression may use `vars`", Example("{{ vars.stage == 'live' }}")]
_LATE: Read = reader_of(Annotated[Any, Anything(late=True)])


@value
class Described:
    """An output with what is to be said of it. A value alone will do."""

    value: Annotated[Any, Anything(late=True), "The value", Example("{{ projects.acme.instances.db.address }}")]
    description: Annotated[str, Text(lines=True), "For people"] = ""
    secret: Annotated[bool, "Show it only where it is asked for by name"] = False
    when: WHEN = True


@value
class Condition:
    """A condition that the plan must meet."""

    that: Annotated[Any, Anything(late=True), "The condition, in {{ }}", Example("{{ vars.stage != 'live' }}")]
    message: Annotated[str | Expression, Text(late=True), "What to say when it does not hold"] = ""
    severity: Annotated[Literal["error", "warning"], "A warning does not stop the plan"] = "error"
    when: WHEN = True


def output(name: str, node: Node, reading: Reading) -> Iterator[Output]:
    if isinstance(node, document.Mapping) and "value" in node.entries:
        if not is_there(node, reading):
            return
        said = read_model(Described, node.without({"when"}), reading)
        if said is not FAILED:
            yield Output(name=name, value=said.value, description=said.description, secret=said.secret)
        return
    value = _LATE(node, reading, "")
    if value is not FAILED:
        yield Output(name=name, value=value)


def check(name: str, node: Node, reading: Reading) -> Iterator[Check]:
    if not isinstance(node, document.Mapping) or "that" not in node.entries:
        text = "A check needs `that`, a condition in {{ }}, and should have `message`, the text to show when it fails."
        reading.tell(MISSING, node.place, text)
        return
    if not is_there(node, reading):
        return
    said = read_model(Condition, node.without({"when"}), reading)
    if said is FAILED:
        return
    that = node.entries["that"]
    if not isinstance(said.that, Expression | bool):
        text = f"This is {kind_of(that)}; expected a condition in {{{{ }}}}, such as {{{{ vars.stage != 'live' }}}}."
        reading.tell(WRONG_TYPE, that.place, text)
        return
    plain = said.that.text if isinstance(said.that, Expression) else "It"
    yield Check(
        name=name,
        that=said.that,
        message=said.message or f"{plain} does not hold.",
        place=that.place,
        warning=said.severity == "warning",
    )
