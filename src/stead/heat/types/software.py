"""Heat's own: configurations, values, random text, and waiting."""

from __future__ import annotations

from typing import Any

from stead.heat.fields import Fields
from stead.heat.handler import Handler
from stead.heat.references import settled
from stead.heat.stack import HotResource, Stack, Written
from stead.heat.template import NO_PROPERTY, WRONG, CannotSay
from stead.heat.types.compute import configured
from stead.heat.values import Either, Expr, Mixed, Reference, Value, dotted, joined, literal, operand
from stead.heat.writing import block
from stead.language.desired.generated import LONGEST, SHORTEST

UNSAID_LENGTH = 32  # characters, of Heat
BOUNDARY = "==stead-part=="
NO_OP = ":"  # of a shell: it takes any arguments, and succeeds


def taken_elsewhere(_resource: HotResource, fields: Fields) -> None:
    """Used where something refers to it."""
    fields.drop(*fields.names())


def software(_resource: HotResource, fields: Fields) -> None:
    fields.drop("config", "options", "name")
    fields.only(
        "group", "ungrouped", "Heat::Ungrouped", "script", why="Nothing in the instance runs what is deployed there."
    )
    for name in ("inputs", "outputs"):
        fields.only(name, [], why="Only deployments have them, which have no equivalent.")


def _config(resource: HotResource, stack: Stack, path: tuple[Value, ...], member: str) -> Value:
    del stack, path, member
    node = resource.properties().child("config")
    if node is None:
        return ""
    return resource.stack.following(f"configuration {resource.id}", node, lambda: resource.stack.value(node))


def _cloud_config(resource: HotResource, stack: Stack, path: tuple[Value, ...], member: str) -> Value:
    del path, member
    node = resource.properties().child("cloud_config")
    if node is None:
        return "#cloud-config\n"
    made = settled(stack, resource.stack.value(node), late=True)
    return joined(["#cloud-config\n", yaml_text(made)])


def yaml_text(value: Value) -> Value:
    """YAML of a map, with its expressions where they stand."""
    known: dict[str, Expr] = {}

    def held(one: Value) -> Value:
        match one:
            case Expr() | Either() | Mixed():
                word = f"stead-expression-{len(known)}-x"
                known[word] = Expr(_inner(one), late=True)
                return word
            case list():
                return [held(below) for below in one]
            case dict():
                return {key: held(below) for key, below in one.items()}
            case _:
                return one

    text = "".join(f"{line}\n" for line in block(held(value), literal_braces=True))
    pieces: list[Value] = [text]
    for word, expression in known.items():
        pieces = [
            made
            for piece in pieces
            for made in (_split(piece, word, expression) if isinstance(piece, str) else (piece,))
        ]
    return joined(pieces)


def _inner(value: Value) -> str:
    return f"{operand(value)} | to_json" if not isinstance(value, Mixed) else f"({literal(value)}) | to_json"


def _split(text: str, word: str, item: Value) -> list[Value]:
    before, found, after = text.partition(word)
    return [before, item, after] if found else [text]


def _multipart(resource: HotResource, stack: Stack, path: tuple[Value, ...], member: str) -> Value:
    """Parts are text with expressions, so the message is made around marks of theirs."""
    del path, member
    node = resource.properties().child("parts")
    parts = resource.stack.value(node) if node is not None else []
    if not isinstance(parts, list):
        raise CannotSay(WRONG.at(resource.place("properties.parts"), "The parts are not a list."))
    pieces: list[Value] = [f'Content-Type: multipart/mixed; boundary="{BOUNDARY}"\nMIME-Version: 1.0\n\n']
    for part in parts:
        config = settled(stack, configured(part.get("config", "")), late=True) if isinstance(part, dict) else part
        if isinstance(part, dict) and part.get("type") == "multipart":
            raise CannotSay(NO_PROPERTY.at(resource.place("properties.parts"), "Parts in parts have no equivalent."))
        pieces += [f"--{BOUNDARY}\n{_headers(part, config)}\n\n", config, "\n"]
    return joined([*pieces, f"--{BOUNDARY}--\n"])


def _headers(part: Any, config: Value) -> str:
    first = config if isinstance(config, str) else config.parts[0] if isinstance(config, Mixed) else ""
    kind = "cloud-config" if isinstance(first, str) and first.startswith("#cloud-config") else "x-shellscript"
    said = part if isinstance(part, dict) else {}
    lines = [f'Content-Type: text/{_word(said.get("subtype") or kind)}; charset="utf-8"']
    if said.get("filename"):
        lines.append(f'Content-Disposition: attachment; filename="{_word(said["filename"])}"')
    return "\n".join(lines)


def _word(text: Value) -> str:
    return "".join(one for one in str(text) if one.isalnum() or one in "-_.+")


def random_string(resource: HotResource, fields: Fields) -> None:
    """A variable that Stead makes up, as Heat did."""
    length = fields.take("length")
    fields.drop("character_classes", "character_sequences", "salt", "sequence")
    if length is None:
        length = UNSAID_LENGTH
    elif resource.stack.draft.chosen is None and not (isinstance(length, int) and SHORTEST <= length <= LONGEST):
        fields.no_property("length", f"Write a number from {SHORTEST} to {LONGEST}, and no parameter.")
        length = UNSAID_LENGTH
    entry = resource.stack.draft.variables.setdefault(_random_name(resource), Written())
    entry.fields = {"type": "string", "generate": {"length": length}}


def _random_name(resource: HotResource) -> str:
    return f"{resource.stack.prefix}{resource.id}".replace("-", "_")


def _random(resource: HotResource, stack: Stack, path: tuple[Value, ...], member: str) -> Value:
    del path, member
    if stack.draft.chosen is not None:
        length = Fields(resource, resource.properties()).take("length")
        return stack.draft.chosen.secret(_random_name(resource), length if isinstance(length, int) else UNSAID_LENGTH)
    return Expr(dotted("vars", _random_name(resource)), secret=True)


def _value(resource: HotResource, stack: Stack, path: tuple[Value, ...], member: str) -> Value:
    del stack, member
    from stead.heat.strings import within

    node = resource.properties().child("value")
    if node is None:
        return None
    made = resource.stack.following(f"value {resource.id}", node, lambda: resource.stack.value(node))
    return within(made, list(path), node)


def _signal(resource: HotResource, stack: Stack, path: tuple[Value, ...], member: str) -> Value:
    """What calls the handle does nothing: the instance is ready when cloud-init has ended."""
    del path, member
    stack.draft.signals[f"{resource.stack.prefix}{resource.id}"] = _timeout_of(resource)
    return NO_OP


def _timeout_of(handle: HotResource) -> Value:
    """Of the condition that waits for the handle."""
    for one in handle.stack.resources.values():
        node = one.properties().child("handle") if one.type in WAITING else None
        if node is not None and one.handler is not None:
            waited = handle.stack.value(node)
            if isinstance(waited, Reference) and waited.resource is handle:
                seconds = Fields(one, one.properties()).take("timeout")
                return None if seconds is None else joined([seconds, "s"])
    return None


WAITING = ("OS::Heat::WaitCondition",)
HANDLE = Handler(taken_elsewhere, attributes={"curl_cli": _signal})
TYPES = {
    "OS::Heat::SoftwareConfig": Handler(software, attributes={"config": _config}),
    "OS::Heat::CloudConfig": Handler(taken_elsewhere, attributes={"config": _cloud_config}),
    "OS::Heat::MultipartMime": Handler(taken_elsewhere, attributes={"config": _multipart}),
    "OS::Heat::RandomString": Handler(random_string, attributes={"value": _random}),
    "OS::Heat::Value": Handler(taken_elsewhere, attributes={"value": _value}),
    "OS::Heat::None": Handler(taken_elsewhere),
    "OS::Heat::WaitConditionHandle": HANDLE,
    "OS::Heat::UpdateWaitConditionHandle": HANDLE,
    "OS::Heat::WaitCondition": Handler(taken_elsewhere),
}
