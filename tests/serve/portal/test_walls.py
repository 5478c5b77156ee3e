"""Who gets in, and no further. The portal's table is walked, so that no page is left out."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest
from tests.serve.portal.browsing import PlainBrowser, with_network, with_server
from tests.serve.served import PASSWORD, Site

from stead.serve.identity.scopes import SYSTEM
from stead.serve.portal.application import ROUTES
from stead.serve.portal.sessions import IDLE, LONGEST, PortalSession, SealedSessions
from stead.serve.portal.visits import PortalRoute
from stead.serve.routes import AccessPolicy

HOSTILE = "<img src=x onerror=alert(1)>'\"{{7*7}}"


class RunningParts(HTMLParser):
    """What of a page would run, or be fetched from elsewhere: scripts and styles are our files."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        known = dict(attrs)
        if tag in ("script", "link", "img") and not (known.get("src") or known.get("href") or "").startswith(
            "/portal/"
        ):
            self.found.append(f"{tag} {known}")
        if tag in ("style", "iframe", "object", "embed", "base"):
            self.found.append(tag)
        for name, text in attrs:
            runs = name.startswith(("on", "hx-on", "data-hx-on")) or name == "style"
            elsewhere = name in ("href", "src", "action", "hx-get", "hx-post") and not str(text).startswith(
                ("/portal/", "#")
            )
            if runs or elsewhere:
                self.found.append(f"{tag} {name}={text}")


def path_of(route: PortalRoute, id_: str = "11111111-1111-4111-8111-111111111111") -> str:
    return re.sub(r"\{[^}]*\}", id_, route.path)


def asked(browser: PlainBrowser, route: PortalRoute, id_: str = "11111111-1111-4111-8111-111111111111") -> int:
    path = path_of(route, id_)
    return (browser.get(path) if route.method == "GET" else browser.post(path)).status


CLOSED = [one for one in ROUTES if one.policy is not AccessPolicy.PUBLIC]


@pytest.mark.parametrize("route", CLOSED, ids=lambda one: f"{one.method} {one.path}")
def test_without_a_session_there_is_only_the_login(site: Site, route: PortalRoute) -> None:
    browser = PlainBrowser(site)
    got = browser.get(path_of(route)) if route.method == "GET" else browser.post(path_of(route))
    assert (got.status, got.headers.get("location")) == (303, "/portal/login")


@pytest.fixture(scope="module")
def bob(site: Site) -> PlainBrowser:
    return PlainBrowser(site, "bob")


def test_a_project_s_people_see_no_page_of_operators(bob: PlainBrowser) -> None:
    of_operators = [one for one in ROUTES if one.policy in (AccessPolicy.ADMIN, AccessPolicy.REVIEWER)]
    assert {one.path: asked(bob, one) for one in of_operators} == {one.path: 403 for one in of_operators}


@pytest.mark.parametrize(
    "route", [one for one in ROUTES if one.policy is AccessPolicy.MEMBER], ids=lambda one: one.path
)
def test_a_reader_changes_nothing(site: Site, route: PortalRoute) -> None:
    assert asked(PlainBrowser(site, "ray"), route) == 403


@pytest.mark.parametrize("route", [one for one in ROUTES if one.method == "POST"], ids=lambda one: one.path)
def test_a_form_of_another_site_is_refused(site: Site, bob: PlainBrowser, route: PortalRoute) -> None:
    for origin in ("https://evil.example", "null", "", f"{site.url}.evil.example"):
        assert bob.post(path_of(route), origin=origin).status == 403


@pytest.mark.parametrize("route", [one for one in CLOSED if one.method == "POST"], ids=lambda one: one.path)
def test_a_form_without_the_session_s_token_is_refused(site: Site, route: PortalRoute) -> None:
    eve, other = PlainBrowser(site, "eve"), PlainBrowser(site, "bob")
    for token in ("", "x.y", other.token, "é.é"):
        eve.token = token
        assert eve.post(path_of(route)).status == 403


def test_another_project_s_instance_is_not_found(site: Site, bob: PlainBrowser) -> None:
    server, eve = with_server(site, "bob", "walls"), PlainBrowser(site, "eve")
    routes = [one for one in ROUTES if one.path.startswith("/instances/{id}")]
    assert len(routes) > 4
    for route in routes:
        path = path_of(route, server)
        form = {"action": "os-stop", "typed": "walls"}
        assert (eve.get(path) if route.method == "GET" else eve.post(path, **form)).status == 404, path
    assert bob.get(f"/instances/{server}").status == 200


def test_a_session_ends() -> None:
    sessions = SealedSessions("key")
    text = sessions.sealed(PortalSession("u", "p", False, 1000.0, 2000.0, "a"))
    assert sessions.opened(text, 2000.0 + IDLE - 1) is not None
    assert sessions.opened(text, 2000.0 + IDLE) is None
    last = sessions.sealed(PortalSession("u", "p", False, 1000.0, 1000.0 + LONGEST - 1, "a"))
    assert sessions.opened(last, 1000.0 + LONGEST - 1) is not None
    assert sessions.opened(last, 1000.0 + LONGEST) is None
    assert SealedSessions("other").opened(text, 2000.0) is None
    assert [sessions.opened(one, 2000.0) for one in ("", "x", text[:-2], text + "a" * 5000)] == [None] * 4


def test_who_has_logged_out_cannot_come_back_with_the_old_cookie(site: Site) -> None:
    browser = PlainBrowser(site, "bob")
    stolen = dict(browser.cookies)
    assert browser.post("/logout").status == 303
    browser.cookies = stolen
    assert browser.get("/").headers.get("location") == "/portal/login"


def test_a_new_password_ends_sessions(site: Site) -> None:
    user = site.people.add_user("may", PASSWORD)
    site.people.assign(user, site.projects["eves"], "member")
    browser = PlainBrowser(site, "may")
    site.people.change_user(user, password="another long one")  # noqa: S106
    assert browser.get("/").status == 303


def test_a_role_that_is_taken_away_counts_no_more(site: Site) -> None:
    user = site.people.add_user("jim", PASSWORD)
    site.people.assign(user, site.projects["eves"], "member")
    browser = PlainBrowser(site, "jim")
    site.people.unassign(user, site.projects["eves"], "member")
    assert browser.get("/instances").status == 303


def test_a_cookie_is_no_token_and_a_token_no_cookie(site: Site, bob: PlainBrowser) -> None:
    cookie = bob.cookies["stead-session"]
    assert site.call("GET", "/compute/v2.1/servers", headers={"X-Auth-Token": cookie})[0] == 401
    other = PlainBrowser(site)
    other.cookies["stead-session"] = site.token("bob")
    assert other.get("/").status == 303


def test_the_cookie_is_kept_from_scripts_and_other_sites(site: Site) -> None:
    browser = PlainBrowser(site, "bob")
    assert "httponly" in browser.set_cookie.lower()
    assert "samesite=lax" in browser.set_cookie.lower()


def test_guesses_lock_the_name_as_the_api_does(own_site: Site) -> None:
    browser = PlainBrowser(own_site)
    assert [browser.log_in("bob", "wrong").status for _ in range(5)] == [401] * 5
    assert browser.log_in("bob").status == 401
    assert own_site.log_in("bob")[0] == 401


def test_one_goes_only_to_projects_in_which_one_has_a_role(site: Site, bob: PlainBrowser) -> None:
    assert bob.post("/project", project=site.projects["eves"]).status == 403
    assert bob.post("/project", project=site.projects["bobs"]).status == 303


def test_an_admin_without_a_project_has_the_pages_of_operators(site: Site) -> None:
    site.people.assign(site.people.add_user("ops", PASSWORD), SYSTEM, "admin")
    ops = PlainBrowser(site, "ops")
    assert "/portal/volumes" not in ops.get("/").text
    for route in ROUTES:
        if route.method == "GET" and "{" not in route.path and route.policy is not AccessPolicy.PUBLIC:
            wanted = 403 if route.policy in (AccessPolicy.READER, AccessPolicy.MEMBER) else 200
            assert ops.get(route.path).status == wanted, route.path


def test_what_tenants_write_is_only_text(site: Site) -> None:
    network = with_network(site, "eve", HOSTILE)
    group = {"security_group": {"name": HOSTILE, "description": HOSTILE}}
    site.call("POST", "/network/v2.0/security-groups", group, "eve")
    site.call("POST", "/network/v2.0/routers", {"router": {"name": HOSTILE}}, "eve")
    base = f"/volume/v3/{site.projects['eves']}"
    site.call("POST", f"{base}/volumes", {"volume": {"name": HOSTILE, "size": 1}}, "eve")
    more = {"metadata": {"k": HOSTILE}, "security_groups": [{"name": HOSTILE}], "description": HOSTILE}
    server = with_server(site, "eve", HOSTILE, network, **more)
    assert site.worker.wait_idle(60)
    eve = PlainBrowser(site, "eve")
    pages = [eve.get(path_of(one, server)) for one in ROUTES if one.method == "GET" and "{" not in one.path]
    pages += [eve.get(f"/instances/{server}"), eve.get(f"/instances?q={'%3Cimg'}")]
    pages += [eve.post(f"/instances/{server}/preview", action="os-stop"), eve.post("/new/instance", name=HOSTILE)]
    pages += [eve.post("/login", name=HOSTILE, password="x", domain=HOSTILE), eve.get("/%3Cimg%20src=x%3E")]  # noqa: S106
    shown = [one for one in pages if "&lt;img" in one.text]
    assert len(shown) >= 4
    for one in pages:
        assert "<img src=x" not in one.text
        assert "'49" not in one.text
        assert RunningParts(one.text).found == []


def test_every_page_forbids_what_it_does_not_need(bob: PlainBrowser) -> None:
    for route in ROUTES:
        got = bob.get(path_of(route)) if route.method == "GET" else bob.post(path_of(route), origin="x")
        policy = got.headers["content-security-policy"]
        assert policy.startswith("default-src 'none'; script-src 'self'; style-src 'self'")
        assert "unsafe" not in policy
        assert got.headers["cache-control"] == "no-store"
        assert got.headers["x-content-type-options"] == "nosniff"
