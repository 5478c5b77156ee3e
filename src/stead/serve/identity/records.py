"""What an admin adds to Identity beside people, such as domains and regions: a value a kind, and its calls from it."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from stead.core.value import field, value
from stead.serve.faults import bad, conflict, forbidden, not_found
from stead.serve.identity.answers import V, listed
from stead.serve.identity.registry import Key, Record
from stead.serve.routes import AccessPolicy, ApiReply, ApiRoute, Call, record, wrapped

Item = dict[str, Any]
ANYONE, ADMIN = AccessPolicy.ANYONE, AccessPolicy.ADMIN
CHOSEN_ID = {"type": ["string", "null"], "pattern": r"^[^/\x00-\x1f\x7f]{1,255}$"}


@value
class RecordKind:
    """`many` names it in paths, `one` in bodies."""

    kind: str  # in the store
    one: str
    many: str
    what: str  # in messages
    fields: Mapping[str, Any]  # of bodies: name -> schema
    required: tuple[str, ...] = ()
    under: str = ""  # before its name, in paths
    defaults: Mapping[str, Any] = field(default_factory=dict)
    lasting: frozenset[str] = frozenset()  # fields that cannot be changed
    unasked: Mapping[str, Any] = field(default_factory=dict)  # a list has only these, unless another value is asked for
    ids_are_chosen: bool = False  # a client may choose the id of a new one
    reads: AccessPolicy = ANYONE
    writes: AccessPolicy = ADMIN
    fixed: Callable[[Call], Sequence[Item]] = field(default=lambda _call: [])  # made by Stead
    checked: Callable[[Call, Record, str], Record] = field(default=lambda _call, said, _id: said)
    ends_with_it: Callable[[Call, str], Mapping[Key, Record | None]] = field(default=lambda _call, _id: {})
    is_seen: Callable[[Call, Item], bool] = field(default=lambda _call, _item: True)


def items(call: Call, of: RecordKind) -> list[Item]:
    """All that the caller may see."""
    made = (item(call, of, name, one) for name, one in call.people.of_kind(of.kind))
    return [one for one in (*of.fixed(call), *made) if of.is_seen(call, one)]


def item(call: Call, of: RecordKind, name: str, known: Record) -> Item:
    return {"id": name, **of.defaults, **known, "links": {"self": f"{call.root}{V}/{of.under}{of.many}/{name}"}}


def found(call: Call, of: RecordKind, name: str) -> Item:
    for one in items(call, of):
        if one["id"] == name:
            return one
    raise not_found(of.what, name)


def make(call: Call, of: RecordKind) -> ApiReply:
    said = call.body[of.one]
    given = {one: said[one] for one in of.fields if one in said}
    known = of.checked(call, {**of.defaults, **given}, "")
    chosen = call.path.get("id") or said.get("id") if of.ids_are_chosen else None
    if chosen in [one["id"] for one in items(call, of)]:
        raise conflict(f"There is a {of.what.lower()} {chosen} already.")
    new = chosen or uuid.uuid4().hex
    call.people.write({(of.kind, new): known})
    return ApiReply(201, {of.one: item(call, of, new, known)})


def routes_of(of: RecordKind) -> tuple[ApiRoute, ...]:
    path, schema = f"{V}/{of.under}{of.many}", record(**of.fields, **({"id": CHOSEN_ID} if of.ids_are_chosen else {}))
    whole = wrapped(of.one, {**schema, "required": [*of.required]})

    def every(call: Call) -> ApiReply:
        usual = {name: one for name, one in of.unasked.items() if not call.asked(name)}
        found = [one for one in items(call, of) if all(one[name] == value for name, value in usual.items())]
        return listed(call, of.many, found)

    def show(call: Call) -> ApiReply:
        return ApiReply(body={of.one: found(call, of, call.path["id"])})

    def create(call: Call) -> ApiReply:
        return make(call, of)

    def change(call: Call) -> ApiReply:
        name = _made_one(call, of)
        known = call.people.known()[of.kind, name]
        given = {word: call.body[of.one][word] for word in of.fields if word in call.body[of.one]}
        if changed := [word for word in given if word in of.lasting and given[word] != known.get(word)]:
            raise bad(f"{', '.join(changed)} cannot be changed. Make another {of.what.lower()}.")
        after = of.checked(call, {**known, **given}, name)
        call.people.write({(of.kind, name): after})
        return ApiReply(body={of.one: item(call, of, name, after)})

    def delete(call: Call) -> ApiReply:
        name = _made_one(call, of)
        call.people.write({**of.ends_with_it(call, name), (of.kind, name): None})
        return ApiReply(204)

    return (
        ApiRoute("GET", path, of.reads, every),
        ApiRoute("POST", path, of.writes, create, whole),
        *([ApiRoute("PUT", f"{path}/{{id}}", of.writes, create, whole)] if of.ids_are_chosen else []),
        ApiRoute("GET", f"{path}/{{id}}", of.reads, show),
        ApiRoute("PATCH", f"{path}/{{id}}", of.writes, change, wrapped(of.one, schema)),
        ApiRoute("DELETE", f"{path}/{{id}}", of.writes, delete),
    )


def _made_one(call: Call, of: RecordKind) -> str:
    name = str(found(call, of, call.path["id"])["id"])
    if (of.kind, name) not in call.people.known():
        raise forbidden(f"{of.what} {name[:80]} is a part of Stead: it cannot be changed or deleted.")
    return name
