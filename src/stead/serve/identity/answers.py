"""How Identity v3 lists, and how it names domains."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from stead.serve.identity.registry import DEFAULT, DOMAIN, DOMAINS
from stead.serve.listing import filtered
from stead.serve.routes import ApiReply, Call

V = "/identity/v3"


def listed(call: Call, name: str, items: Sequence[dict[str, Any]]) -> ApiReply:
    links = {"self": f"{call.root}{V}/{name}", "previous": None, "next": None}
    return ApiReply(body={name: filtered(call, items), "links": links})


def reference(call: Call, domain: str) -> dict[str, str]:
    """One that the site's files had once is told by its id: its people are still there."""
    known = DEFAULT if domain == DOMAIN else call.people.known().get((DOMAINS, domain), {})
    return {"id": domain, "name": str(known.get("name", domain))}


def domain_asked(call: Call, said: Mapping[str, Any]) -> str:
    """Where something is made: in the domain that is named, or in that of the token."""
    token = call.caller.token
    name = str(said.get("domain_id") or (token.domain if token is not None else "") or DOMAIN)
    call.people.domain(name)
    return name
