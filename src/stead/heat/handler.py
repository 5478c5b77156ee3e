"""What is known of one type of Heat's resources."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from stead.core.named import NamedTuple
from stead.heat.values import Value

if TYPE_CHECKING:
    from stead.heat.fields import Fields
    from stead.heat.stack import HotResource, Stack

# (resource, from which stack, the path behind the attribute, member of a group) -> value; None where there is none
Attribution = Callable[["HotResource", "Stack", tuple[Value, ...], str], Value]


class Handler(NamedTuple):
    """`kind` is empty where a resource becomes a part of another's definition, or a value."""

    convert: Callable[[HotResource, Fields], None]
    kind: str = ""
    attributes: Mapping[str, str | Attribution] = {}
    ignored: frozenset[str] = frozenset()  # properties that say how Heat works, and nothing of the resource
    counts: bool = True  # it may have `count`
    of_site: bool = False


def said(*names: str) -> Attribution:
    """An attribute that is a property of the template's."""

    def attribute(resource: HotResource, stack: Stack, path: tuple[Value, ...], member: str) -> Value:
        del stack, path, member
        below = (resource.properties().child(name) for name in names)
        node = next((one for one in below if one is not None), None)
        return None if node is None else resource.stack.value(node)

    return attribute
