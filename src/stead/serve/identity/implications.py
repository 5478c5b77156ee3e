"""Which role implies which: who has the one has the other too. What the fixed roles imply is a part of Stead."""

from __future__ import annotations

from typing import Any

from stead.serve.faults import forbidden, not_found
from stead.serve.identity import held
from stead.serve.identity.answers import V
from stead.serve.identity.records import Item, found, items
from stead.serve.identity.registry import IMPLICATION, ROLE, Key
from stead.serve.identity.role_calls import ROLE_KIND, key_of
from stead.serve.identity.roles import ROLES
from stead.serve.routes import AccessPolicy, ApiReply, ApiRoute, Call


def _named(role: Item) -> dict[str, Any]:
    return {"id": role["id"], "name": role["name"], "links": role["links"]}


def _inference(call: Call, prior: Item, every: list[Item]) -> dict[str, Any]:
    next_ones = held.implied_by(call.people.known(), key_of(prior))
    return {"prior_role": _named(prior), "implies": [_named(one) for one in every if key_of(one) in next_ones]}


def list_inferences(call: Call) -> ApiReply:
    every = items(call, ROLE_KIND)
    rows = [row for one in every if (row := _inference(call, one, every))["implies"]]
    return ApiReply(body={"role_inferences": rows, "links": {"self": f"{call.root}{V}/role_inferences"}})


def list_implied(call: Call) -> ApiReply:
    prior = found(call, ROLE_KIND, call.path["id"])
    links = {"self": f"{call.root}{V}/roles/{prior['id']}/implies"}
    return ApiReply(body={"role_inference": _inference(call, prior, items(call, ROLE_KIND)), "links": links})


def _pair(call: Call) -> tuple[Item, Item]:
    return found(call, ROLE_KIND, call.path["id"]), found(call, ROLE_KIND, call.path["implied"])


def _told(call: Call, prior: Item, implied: Item) -> dict[str, Any]:
    links = {"self": f"{call.root}{V}/roles/{prior['id']}/implies/{implied['id']}"}
    return {"role_inference": {"prior_role": _named(prior), "implies": _named(implied)}, "links": links}


def _known(call: Call) -> tuple[Item, Item]:
    prior, implied = _pair(call)
    if key_of(implied) not in held.implied_by(call.people.known(), key_of(prior)):
        raise not_found("Implied role", call.path["implied"])
    return prior, implied


def show_implied(call: Call) -> ApiReply:
    return ApiReply(body=_told(call, *_known(call)))


def is_implied(call: Call) -> ApiReply:
    _known(call)
    return ApiReply(204)


def imply(call: Call) -> ApiReply:
    prior, implied = _pair(call)
    _must_be_of_the_api(call, prior)
    if key_of(implied) == "admin":
        raise forbidden("No role implies admin: that is assigned by its name.")
    if implied["domain_id"] is not None and prior["domain_id"] is None:
        raise forbidden("A role of no domain implies no role of a domain.")
    pair = {"prior": key_of(prior), "implied": key_of(implied)}
    call.people.write({_key(prior, implied): pair})
    return ApiReply(201, _told(call, prior, implied))


def _must_be_of_the_api(call: Call, prior: Item) -> None:
    if key_of(prior) in ROLES:
        raise forbidden(f"What the role {prior['name']} implies is a part of Stead.")
    if call.people.is_declared((ROLE, key_of(prior))):
        raise forbidden(f"The site's files say what the role {prior['name']} implies. It is changed there.")


def _key(prior: Item, implied: Item) -> Key:
    return IMPLICATION, f"{key_of(prior)}/{key_of(implied)}"


def no_longer(call: Call) -> ApiReply:
    prior, implied = _known(call)
    _must_be_of_the_api(call, prior)
    call.people.write({_key(prior, implied): None})
    return ApiReply(204)


ANYONE, ADMIN = AccessPolicy.ANYONE, AccessPolicy.ADMIN
R = f"{V}/roles/{{id}}/implies"
ROUTES = (
    ApiRoute("GET", f"{V}/role_inferences", ANYONE, list_inferences),
    ApiRoute("GET", R, ANYONE, list_implied),
    ApiRoute("GET", f"{R}/{{implied}}", ANYONE, show_implied),
    ApiRoute("HEAD", f"{R}/{{implied}}", ANYONE, is_implied),
    ApiRoute("PUT", f"{R}/{{implied}}", ADMIN, imply),
    ApiRoute("DELETE", f"{R}/{{implied}}", ADMIN, no_longer),
)
