"""An environment of Heat's: values of parameters, and types by another name."""

from __future__ import annotations

from typing import Any

from stead.core.diagnostics import Diagnostic
from stead.core.named import NamedTuple
from stead.heat.template import NO_PROPERTY, WRONG, bounded
from stead.language import document
from stead.language.reading.context import kind_of, nearest

SECTIONS = ("parameters", "parameter_defaults", "resource_registry", "encrypted_param_names", "event_sinks",
            "parameter_merge_strategies")  # fmt: skip


class Surroundings(NamedTuple):
    parameters: dict[str, Any]  # that the template must have
    defaults: dict[str, Any]  # for those that have the name
    registry: dict[str, str]


def read_environment(data: bytes, file: str, into: Surroundings, found: list[Diagnostic]) -> None:
    """Later ones come before earlier ones."""
    node = bounded(data, file, found)
    if node is None:
        return
    if not isinstance(node, document.Mapping):
        found.append(WRONG.at(node.place, f"This is {kind_of(node)}; an environment is a map of sections."))
        return
    for name, below in node.entries.items():
        if name not in SECTIONS:
            text = f"An environment has no section {name!r}.{nearest(name, SECTIONS)}"
            found.append(WRONG.at(node.place_of_key(name), text))
        elif isinstance(below, document.Mapping):
            _section(name, below, into, found)
        elif document.plain(below):
            found.append(WRONG.at(below.place, f"This is {kind_of(below)}; {name} is a map."))


def _section(name: str, node: document.Mapping, into: Surroundings, found: list[Diagnostic]) -> None:
    plain: dict[str, Any] = document.plain(node)
    if name == "parameters":
        into.parameters.update(plain)
    elif name == "parameter_defaults":
        into.defaults.update(plain)
    elif name == "resource_registry":
        for word, value in plain.items():
            if isinstance(value, str):
                into.registry[word] = value
            else:
                text = f"{word!r}: only a type for a type is read, not one for single resources."
                found.append(NO_PROPERTY.at(node.place_of_key(word), text))
    else:
        found.append(NO_PROPERTY.at(node.place, f"`{name}` of an environment has no equivalent."))
