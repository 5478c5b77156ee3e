"""Logging in with a token of an OpenID provider, where Keystone has it: what its clients' v3oidc… plugins ask."""

from __future__ import annotations

from stead.serve.faults import not_found, unauthenticated
from stead.serve.identity.answers import V
from stead.serve.identity.auth import entered
from stead.serve.identity.methods import Proved
from stead.serve.routes import AccessPolicy, ApiReply, ApiRoute, Call

PROTOCOL, METHOD = "openid", "openid"
PATH = f"{V}/OS-FEDERATION/identity_providers/{{provider}}/protocols/{{protocol}}/auth"


def log_in(call: Call) -> ApiReply:
    """The token is for nothing yet; with it, its user gets one for a project."""
    scheme, _, text = call.headers.get("authorization", "").partition(" ")
    outside = call.people.outside
    if outside is None or call.path["protocol"] != PROTOCOL:
        raise not_found("Protocol", call.path["protocol"])
    if scheme.lower() != "bearer" or not text:
        raise unauthenticated("A token of the provider is needed: the header Authorization with Bearer.")
    user = outside.by_token(call.path["provider"], text.strip(), call.source)
    return entered(call, Proved(user, (METHOD,)), "unscoped")


ROUTES = (ApiRoute("POST", PATH, AccessPolicy.PUBLIC, log_in),)
