"""Logging in with an OpenID provider: the browser goes there, and comes back with a code.

What belongs to one such login is in a cookie of ten minutes, sealed, so that a code that somebody else got is of no
use here, and nobody can be logged in as somebody else by a link.
"""

from __future__ import annotations

import base64
import hmac
import json
import secrets

from anyio import to_thread
from cryptography.fernet import Fernet, InvalidToken
from starlette.responses import RedirectResponse, Response

from stead.core.named import NamedTuple
from stead.serve.faults import Fault, unauthenticated
from stead.serve.identity.answers import V
from stead.serve.identity.federation import PROTOCOL
from stead.serve.identity.outside import OutsideUsers
from stead.serve.portal.entering import begun, login_page
from stead.serve.portal.pages import BASE
from stead.serve.portal.visits import PortalRoute, Visit
from stead.serve.routes import AccessPolicy

COOKIE = "stead-login"
HOLDS = 600  # seconds that a login may take
FAILED = "The provider did not log you in. Try again."


class ProviderLogin(NamedTuple):
    provider: str
    state: str  # comes back with the browser
    nonce: str  # comes back in the token
    verifier: str  # of the code


def _sealing(visit: Visit) -> Fernet:
    key = hmac.digest(visit.people.token_key().encode(), b"logins with providers", "sha256")
    return Fernet(base64.urlsafe_b64encode(key))


def _is_secure(visit: Visit) -> bool:
    return visit.root.startswith("https:")


def _cookie(visit: Visit) -> str:
    """With its prefix, no server of a neighbouring name can set it."""
    return f"__Host-{COOKIE}" if _is_secure(visit) else COOKIE


def _outside(visit: Visit) -> OutsideUsers:
    if visit.people.outside is None:
        raise unauthenticated(FAILED)
    return visit.people.outside


def _back(visit: Visit) -> str:
    """Where the provider sends the browser: it has to know this address."""
    return f"{visit.root}{BASE}/login/back"


async def go(visit: Visit) -> Response:
    outside, made = _outside(visit), (secrets.token_urlsafe(32) for _ in range(3))
    login = ProviderLogin(visit.path["provider"], *made)

    def address() -> str:
        with outside.providers.oidc(login.provider) as provider:
            return provider.address(back=_back(visit), state=login.state, nonce=login.nonce, verifier=login.verifier)

    try:
        response = RedirectResponse(await to_thread.run_sync(address), 303)
    except Fault as fault:
        return login_page(visit, fault)
    text = _sealing(visit).encrypt(json.dumps(login).encode()).decode()
    response.set_cookie(_cookie(visit), text, max_age=HOLDS, httponly=True, samesite="lax", secure=_is_secure(visit))
    return response


async def come_back(visit: Visit) -> Response:
    try:
        response = await _let_in(visit)
    except Fault as fault:
        response = login_page(visit, fault)
    response.delete_cookie(_cookie(visit), httponly=True, samesite="lax", secure=_is_secure(visit))
    return response


async def _let_in(visit: Visit) -> Response:
    from stead.serve.identity.oidc_provider import BadToken

    login, asked = _begun(visit), visit.request.query_params
    if login is None or not hmac.compare_digest(asked.get("state", "").encode(), login.state.encode()):
        raise unauthenticated(FAILED)
    code, outside = asked.get("code", ""), _outside(visit)
    if not code:
        raise unauthenticated(FAILED)

    source = visit.request.client.host if visit.request.client else ""

    def token() -> str:
        visit.people.must_not_flood(source)  # each code is a request to the provider
        with outside.providers.oidc(login.provider) as provider:
            text = provider.token_for(code, back=_back(visit), verifier=login.verifier)
            provider.user(text, nonce=login.nonce)
            return text

    try:
        text = await to_thread.run_sync(token)
    except BadToken as error:
        visit.people.addresses.failed(source)
        raise unauthenticated(FAILED) from error
    path = f"{V}/OS-FEDERATION/identity_providers/{login.provider}/protocols/{PROTOCOL}/auth"
    return begun(visit, await visit.ask("POST", path, headers=(("authorization", f"Bearer {text}"),)))


def _begun(visit: Visit) -> ProviderLogin | None:
    try:
        text = _sealing(visit).decrypt(visit.request.cookies.get(_cookie(visit), "").encode(), ttl=HOLDS)
        return ProviderLogin(*json.loads(text))
    except (InvalidToken, ValueError, TypeError):
        return None


ROUTES = (
    PortalRoute("GET", "/login/with/{provider}", AccessPolicy.PUBLIC, go),
    PortalRoute("GET", "/login/back", AccessPolicy.PUBLIC, come_back),
)
