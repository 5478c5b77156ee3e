"""Logging in and out, and in which project one is."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from starlette.responses import RedirectResponse, Response

from stead.serve.faults import Fault, forbidden
from stead.serve.identity import held
from stead.serve.identity.registry import DOMAIN
from stead.serve.identity.scopes import SYSTEM
from stead.serve.identity.second_factor import RECEIPT, TOTP
from stead.serve.portal.pages import BASE, page
from stead.serve.portal.sessions import PortalSession
from stead.serve.portal.texts import languages
from stead.serve.portal.visits import PortalRoute, Visit
from stead.serve.routes import AccessPolicy

LANGUAGE = "stead-language"
LONGEST_CODE = 16
A_YEAR = 365 * 86400


async def ask_who(visit: Visit) -> Response:
    if visit.session is not None:
        return RedirectResponse(f"{BASE}/", 303)
    return login_page(visit)


async def log_in(visit: Visit) -> Response:
    """By the API's own login, which counts guesses and writes the audit log."""
    name, domain = visit.said("name"), visit.said("domain")
    user: dict[str, Any] = {"name": name, "domain": {"name": domain} if domain else {"id": DOMAIN}}
    user["password"] = (visit.form.get("password") or [""])[0]
    try:
        return await _entered(visit, {"methods": ["password"], "password": {"user": user}})
    except Fault as fault:
        if not fault.receipt:
            return login_page(visit, fault)
        return page(visit, "code.html", status=fault.status, fault=None, receipt=fault.receipt)


async def type_code(visit: Visit) -> Response:
    """The second half, with the receipt for the first one."""
    receipt, code = visit.said("receipt"), visit.said("code").replace(" ", "")
    try:
        return await _entered(visit, {"methods": [TOTP], TOTP: {"user": {"passcode": code[:LONGEST_CODE]}}}, receipt)
    except Fault as fault:
        return page(visit, "code.html", status=fault.status, fault=fault, receipt=receipt)


async def _entered(visit: Visit, identity: Mapping[str, Any], receipt: str = "") -> Response:
    body = {"auth": {"identity": identity, "scope": "unscoped"}}
    headers = ((RECEIPT, receipt),) if receipt else ()
    return begun(visit, await visit.ask("POST", "/identity/v3/auth/tokens", body, headers=headers))


def begun(visit: Visit, answer: Mapping[str, Any]) -> Response:
    """A session for whom the API has just let in."""
    id_, now = answer["token"]["user"]["id"], visit.cloud.clock()
    project = _first_project(visit, id_)
    system = not project and bool(visit.people.roles_in(id_, SYSTEM))
    visit.begin(PortalSession(id_, project, system, now, now, os.urandom(12).hex()))
    return RedirectResponse(f"{BASE}/", 303)


def login_page(visit: Visit, fault: Fault | None = None) -> Response:
    outside = visit.people.outside
    providers = outside.providers.titles() if outside is not None else []
    return page(visit, "login.html", status=fault.status if fault else 200, fault=fault, providers=providers)


def _first_project(visit: Visit, user: str) -> str:
    own = visit.people.user(user).get("default_project_id") or ""
    there = held.projects_of(visit.people.known(), user, visit.cloud.world().project_ids())
    return own if own in there else next(iter(there), "")


async def log_out(visit: Visit) -> Response:
    if visit.session is not None:
        visit.people.revoke(visit.session.whole)
        visit.begin(None)
    return RedirectResponse(f"{BASE}/login", 303)


async def change_project(visit: Visit) -> Response:
    """What one may there, each request asks anew."""
    project = visit.said("project")
    session, every = visit.session, visit.cloud.world().project_ids()
    if session is None or project not in held.projects_of(visit.people.known(), session.user, every):
        raise forbidden("You have no role in that project.")
    visit.begin(session._replace(project=project, system=False))
    return RedirectResponse(f"{BASE}/", 303)


async def change_language(visit: Visit) -> Response:
    response = RedirectResponse(f"{BASE}/", 303)
    if (language := visit.said("language")) in languages():
        response.set_cookie(LANGUAGE, language, max_age=A_YEAR, httponly=True, samesite="lax", path=BASE)
    return response


PUBLIC, ANYONE = AccessPolicy.PUBLIC, AccessPolicy.ANYONE
ROUTES = (
    PortalRoute("GET", "/login", PUBLIC, ask_who),
    PortalRoute("POST", "/login", PUBLIC, log_in),
    PortalRoute("POST", "/login/code", PUBLIC, type_code),
    PortalRoute("POST", "/language", PUBLIC, change_language),
    PortalRoute("POST", "/logout", ANYONE, log_out),
    PortalRoute("POST", "/project", ANYONE, change_project),
)
