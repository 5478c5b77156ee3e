"""Parameters become variables, with their constraints."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from stead.core.fields import Expression
from stead.heat.references import slug
from stead.heat.stack import Stack, Written
from stead.heat.template import NO_PROPERTY, NOT_THERE, TOO_LARGE, WRONG, CannotSay, bounded
from stead.heat.values import Expr, Value, braced, dotted, size
from stead.language import document
from stead.language.desired.declared import Declared, badly_declared, wrong
from stead.language.document import Node
from stead.language.reading.context import nearest

KINDS = {"string": "string", "number": "number", "boolean": "bool", "json": "map", "comma_delimited_list": "list"}
MOST_PATTERNS = 100  # each is matched in a process of its own
FIELDS = ("type", "label", "description", "default", "hidden", "constraints", "immutable", "tags")


def declare(stack: Stack, given: Mapping[str, Any]) -> None:
    """`given` are values of an environment, or of the command line; they take the place of defaults."""
    section = stack.template.section("parameters")
    for name in given:
        if name not in section:
            text = f"The template has no parameter {name!r}.{nearest(name, section)}"
            stack.draft.found.append(NOT_THERE.at(stack.template.node.place, text))
    for name, node in section.items():
        entry = stack.draft.variables.setdefault(name, Written())
        if isinstance(node, document.Mapping):
            entry.fields = _declared(stack, name, node, given, entry)
        else:
            stack.draft.found.append(WRONG.at(node.place, f"The parameter {name!r} is not a map."))
        secret = entry.fields.get("secret") is True
        stack.parameters[name] = Expr(dotted("vars", name), param=name, secret=secret)


def give(stack: Stack, given: Mapping[str, Any]) -> None:
    """Values in the place of variables, checked by what the template says of its parameters."""
    declare(stack, given)
    if sum("pattern" in entry.fields for entry in stack.draft.variables.values()) > MOST_PATTERNS:
        text = f"More than {MOST_PATTERNS} of its parameters have an allowed_pattern."
        raise CannotSay(TOO_LARGE.at(stack.template.node.place_of("parameters"), text))
    for name, entry in stack.draft.variables.items():
        fields = {word: one for word, one in entry.fields.items() if one is not None}
        made = fields.pop("default", None)
        why = "it was not provided" if made is None else _refused(fields, made)
        if why:
            place = stack.template.section("parameters")[name].place
            stack.draft.found.append(WRONG.at(place, f"The Parameter ({name}) is invalid: {why}."))
        stack.parameters[name] = made


def _refused(fields: Mapping[str, Any], made: Value) -> str:
    declared = Declared(**{**fields, "check": _condition(fields.get("check"))})
    word, problem = badly_declared(declared)
    if word and word != "check":
        return problem
    why = wrong(declared, made)
    return str(fields.get("message") or f"its value {why}") if why else ""


def _condition(check: Value) -> str | Expression:
    return Expression(braced(check), "", None) if isinstance(check, Expr) else ""


def _declared(
    stack: Stack, name: str, node: document.Mapping, given: Mapping[str, Any], entry: Written
) -> dict[str, Value]:
    said = {word: document.plain(below) for word, below in node.entries.items() if word != "constraints"}
    for word in node.entries:
        if word not in FIELDS:
            stack.draft.found.append(WRONG.at(node.place_of_key(word), f"A parameter has no {word!r}."))
    kind = str(said.get("type", "string"))
    if kind not in KINDS:
        text = f"There is no type {kind!r}. There are {', '.join(KINDS)}."
        stack.draft.found.append(WRONG.at(node.place_of("type"), text))
    hidden = said.get("hidden") in (True, "true", "True")
    made: dict[str, Value] = {
        "type": KINDS.get(kind, "any"),
        "default": _value(stack, given.get(name, said.get("default")), kind),
        "secret": True if hidden else None,
        "description": said.get("description") or said.get("label"),
    }
    if kind == "number" and all(isinstance(one, int) for one in [made["default"]] if one is not None):
        made["type"] = "number"
    constraints = node.child("constraints")
    for one in constraints.items if isinstance(constraints, document.Sequence) else []:
        _constrain(stack, made, one, kind, entry)
    return made


def _value(stack: Stack, value: Any, kind: str) -> Any:
    """As the type says: Heat takes text for all of them."""
    if kind == "string":
        return str(value).lower() if isinstance(value, bool) else None if value is None else str(value)
    if kind == "comma_delimited_list" and isinstance(value, str):
        return [one.strip() for one in value.split(",")] if value else []
    if kind == "boolean" and value is not None:
        return str(value).lower() in ("true", "t", "on", "yes", "y", "1")
    if kind in ("number", "json") and isinstance(value, str):
        return _read(stack, value)
    return value


def _read(stack: Stack, text: str) -> Any:
    """Aliases may make a few letters many values, and a template has many parameters."""
    node = bounded(text.encode(), "", [])
    if node is None:
        return None
    made = document.plain(node)
    stack.draft.spend(size(made, stack.draft.left), node)
    return made


def _constrain(stack: Stack, made: dict[str, Value], node: Node, kind: str, entry: Written) -> None:
    said = document.plain(node)
    if not isinstance(said, dict):
        stack.draft.found.append(WRONG.at(node.place, "A constraint is a map."))
        return
    for word, value in said.items():
        match word, value:
            case "allowed_values", list():
                made["choices"] = [
                    _value(stack, one, "string" if kind == "comma_delimited_list" else kind) for one in value
                ]
            case "allowed_pattern", str():
                made["pattern"] = value
            case (("length" | "range"), dict()):
                for bound in [one for one in ("min", "max") if one in value]:
                    made[bound] = _number(stack, node, value[bound])
            case "modulo", dict():
                step, offset = _number(stack, node, value.get("step")), _number(stack, node, value.get("offset", 0))
                made["check"] = Expr(f"value % {step} == {offset}") if step else None
            case "description", str():
                made["message"] = value
            case "custom_constraint", _:
                pass  # what a name has to be is asked where it is used
            case _:
                text = f"The constraint {word!r} has no equivalent."
                stack.draft.found.append(NO_PROPERTY.at(node.place_of(word), text))
                entry.notes.append(f"left out ({node.place}): {text}")


def _number(stack: Stack, node: Node, said: Any) -> Value:
    """It goes into expressions, so nothing else will do."""
    if isinstance(said, int | float) and not isinstance(said, bool):
        return said
    stack.draft.found.append(WRONG.at(node.place, "The numbers of a constraint are numbers."))
    return None


def as_names(stack: Stack) -> None:
    """Defaults and choices of parameters that name a resource, as Stead writes names."""
    for name, kind in stack.draft.named.items():
        fields = stack.draft.variables[name].fields
        default = fields.get("default")
        if isinstance(default, str) and default:
            fields["default"] = slug(default, kind)
        if isinstance(fields.get("choices"), list):
            fields["choices"] = [slug(one, kind) if isinstance(one, str) else one for one in fields["choices"]]
