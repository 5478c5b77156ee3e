"""Access rules: the only requests that a token of an application credential is good for, where it was given any.

A rule outlives its credentials, until its owner deletes it, as in Keystone. `*` and `{name}` in a path stand for one
part of it, `**` for any number of them.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from stead.serve.faults import bad, forbidden, not_found
from stead.serve.identity.answers import V, listed
from stead.serve.identity.registry import CREDENTIAL, RULE, Record
from stead.serve.identity.roles import AccessRule
from stead.serve.routes import ID, AccessPolicy, ApiReply, ApiRoute, Call, record

FIELDS = ("service", "method", "path")
RULES = {
    "type": ["array", "null"],
    "maxItems": 50,
    "items": record(
        id=ID,
        service={"type": "string", "minLength": 1, "maxLength": 64},
        method={"enum": ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"]},
        path={"type": "string", "pattern": r"^/[^\s?#]{0,127}$"},
    ),
}


def data(call: Call, name: str, known: Record) -> dict[str, Any]:
    links = {"self": f"{call.root}{V}/users/{known['user']}/access_rules/{name}"}
    return {"id": name, **{field: known[field] for field in FIELDS}, "links": links}


def shown(call: Call, names: Sequence[str]) -> list[dict[str, str]]:
    """In the answer of a credential."""
    known = call.people.known()
    return [{"id": name, **{field: known[RULE, name][field] for field in FIELDS}} for name in names]


def given(call: Call, user: str, said: Iterable[Mapping[str, Any]]) -> list[str]:
    """Ids of what a new credential is given: rules that are there, and new ones."""
    found = [_given(call, user, one) for one in said]
    return [*dict.fromkeys(found)]


def _given(call: Call, user: str, said: Mapping[str, Any]) -> str:
    mine = {name: one for name, one in call.people.of_kind(RULE) if one["user"] == user}
    if "id" in said:
        if said["id"] not in mine:
            raise not_found("Access rule", said["id"])
        return str(said["id"])
    if lacking := [field for field in FIELDS if field not in said]:
        raise bad(f"An access rule needs {', '.join(lacking)}.")
    if said["path"].split("/").count("**") > 1:
        raise bad("A path of an access rule has ** at most once.")
    new = {"user": user, **{field: said[field] for field in FIELDS}}
    same = next((name for name, one in mine.items() if one == new), None)
    name = same or uuid.uuid4().hex
    call.people.write({(RULE, name): new})
    return name


def allowed(rules: Sequence[AccessRule], services: Iterable[str], method: str, path: str) -> bool:
    asked = "GET" if method == "HEAD" else method
    return any(
        one.service in services and one.method in (asked, method) and _fits(one.path.split("/"), path.split("/"))
        for one in rules
    )


def _fits(pattern: Sequence[str], parts: Sequence[str]) -> bool:
    if "**" in pattern:
        at = pattern.index("**")
        after = len(pattern) - at - 1
        ends = parts[len(parts) - after :] if after else []
        return len(parts) >= at + after and _fits(pattern[:at], parts[:at]) and _fits(pattern[at + 1 :], ends)
    return len(pattern) == len(parts) and all(map(_is, pattern, parts))


def _is(word: str, part: str) -> bool:
    return bool(part) if word == "*" or (word.startswith("{") and word.endswith("}")) else word == part


def _own(call: Call) -> str:
    if call.path["id"] != call.caller.user:
        raise not_found("User", call.path["id"])
    return call.caller.user


def _one(call: Call) -> tuple[str, Record]:
    user, name = _own(call), call.path["rule"]
    known = call.people.known().get((RULE, name))
    if known is None or known["user"] != user:
        raise not_found("Access rule", name)
    return name, known


def list_rules(call: Call) -> ApiReply:
    user = _own(call)
    mine = [data(call, name, one) for name, one in call.people.of_kind(RULE) if one["user"] == user]
    return listed(call, "access_rules", mine)


def show_rule(call: Call) -> ApiReply:
    return ApiReply(body={"access_rule": data(call, *_one(call))})


def delete_rule(call: Call) -> ApiReply:
    name, _ = _one(call)
    if any(name in (one.get("rules") or ()) for _, one in call.people.of_kind(CREDENTIAL)):
        raise forbidden("An application credential has this access rule. Delete that first.")
    call.people.write({(RULE, name): None})
    return ApiReply(204)


R = f"{V}/users/{{id}}/access_rules"
ROUTES = (
    ApiRoute("GET", R, AccessPolicy.ANYONE, list_rules),
    ApiRoute("GET", f"{R}/{{rule}}", AccessPolicy.ANYONE, show_rule),
    ApiRoute("DELETE", f"{R}/{{rule}}", AccessPolicy.ANYONE, delete_rule),
)
