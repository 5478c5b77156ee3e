"""People of an OpenID provider log in, with a browser and with a token of it; forged and foreign tokens do not."""

from __future__ import annotations

import base64
import hashlib
import json
import time
import urllib.parse
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from joserfc.jwk import RSAKey
from tests.serve import oidc
from tests.serve.directory import free_port
from tests.serve.oidc import CLIENT, Provider, authorized, coded
from tests.serve.portal.browsing import Got, PlainBrowser
from tests.serve.served import SITE, Reply, Site, write_site

from stead.cli.common.serving import must_be_ready, people_of
from stead.core.diagnostics import Refused
from stead.language.desired.identity import IdentitySettings, OidcSettings

PATH = "/identity/v3/OS-FEDERATION/identity_providers/sso/protocols/openid/auth"
ROLES = "[{group: web-team, project: files}, {group: cloud-admins, role: admin}]"


def settings(found: Provider, folder: Path, **more: Any) -> str:
    secret = folder / "oidc-secret"
    secret.write_text("of the client\n")
    secret.chmod(0o600)
    said = {
        "issuer": found.url,
        "client_id": CLIENT,
        "insecure": "true",
        "timeout": "2s",
        "title": "Example",
        **more,
        "client_secret_file": secret,
    }
    lines = "".join(f"        {word}: {value}\n" for word, value in said.items())
    return f"site:\n  identity:\n    oidc:\n      sso:\n{lines}        roles: {ROLES}\n"


@pytest.fixture(scope="module")
def issuer() -> Iterator[Provider]:
    with oidc.provider(free_port()) as found:
        yield found


@pytest.fixture(scope="module")
def sso(issuer: Provider, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("sso")
    found = Site(write_site(folder, SITE + settings(issuer, folder)))
    yield found
    found.close()


@pytest.fixture(autouse=True)
def _nothing_is_locked(request: pytest.FixtureRequest) -> None:
    if "sso" in request.fixturenames:
        site = request.getfixturevalue("sso")
        site.people.addresses._wrong.clear()
        site.people.outside.providers.forget_faults()


def bring(site: Site, token: str, path: str = PATH) -> Reply:
    return site.call("POST", path, headers={"Authorization": f"Bearer {token}"})


def scoped(site: Site, answer: Reply, scope: Any) -> Reply:
    assert answer[0] == 201, answer
    identity = {"methods": ["token"], "token": {"id": answer[1]["x-subject-token"]}}
    return site.call("POST", "/identity/v3/auth/tokens", {"auth": {"identity": identity, "scope": scope}})


def test_a_token_of_the_provider_gives_one_of_ours(sso: Site, issuer: Provider) -> None:
    answer = bring(sso, issuer.token())
    assert answer[2]["token"]["user"]["name"] == "lena"
    assert answer[2]["token"]["user"]["domain"]["name"] == "sso"
    assert "project" not in answer[2]["token"]
    project = scoped(sso, answer, {"project": {"id": sso.projects["files"]}})
    assert {one["name"] for one in project[2]["token"]["roles"]} == {"member", "reader"}
    token = {"X-Auth-Token": project[1]["x-subject-token"]}
    assert sso.call("GET", "/compute/v2.1/servers", headers=token)[0] == 200
    assert scoped(sso, answer, {"system": {"all": True}})[0] == 401
    curve = issuer.token(header={"alg": "ES256", "kid": "curve"}, key=issuer.curve)
    assert bring(sso, curve)[0] == 201
    assert bring(sso, issuer.token(header={"alg": "RS256"}))[0] == 201  # by one of its keys


def test_groups_may_be_one_text_and_count_only_by_their_whole_names(sso: Site, issuer: Provider) -> None:
    admin = bring(sso, issuer.token(sub="s-mira", preferred_username="mira", groups="cloud-admins"))
    assert scoped(sso, admin, {"system": {"all": True}})[0] == 201
    for groups in ("xcloud-adminsx", ["cloud"], {"cloud-admins": True}, [["cloud-admins"]], None, 7):
        other = bring(sso, issuer.token(sub="s-nils", preferred_username="nils", groups=groups))
        assert scoped(sso, other, {"system": {"all": True}})[0] == 401, groups


def test_one_name_of_two_domains_is_two_people(sso: Site, issuer: Provider) -> None:
    answer = bring(sso, issuer.token(sub="s-ada", preferred_username="ada", groups=[]))
    assert answer[2]["token"]["user"]["id"] != sso.people.named("ada")
    assert scoped(sso, answer, {"system": {"all": True}})[0] == 401
    again = bring(sso, issuer.token(sub="another", preferred_username="ada", groups=[]))
    assert again[2]["token"]["user"]["id"] != answer[2]["token"]["user"]["id"]
    empty = {"name": "ada", "domain": {"name": "sso"}, "password": ""}
    body = {"auth": {"identity": {"methods": ["password"], "password": {"user": empty}}}}
    assert sso.call("POST", "/identity/v3/auth/tokens", body)[0] == 401


def unsigned(found: Provider, algorithm: str) -> str:
    parts = ({"alg": algorithm, "kid": "of-tests"}, found.claims())
    return ".".join([*(coded(json.dumps(one).encode()) for one in parts), ""])


def _bringing(found: Provider) -> str:
    key = RSAKey.generate_key(2048)
    return found.token(header={"alg": "RS256", "kid": "of-tests", "jwk": key.as_dict(private=False)}, key=key)


def _changed(found: Provider) -> str:
    head, _, sign = found.token().split(".")
    other = found.token(groups=["cloud-admins"]).split(".")[1]
    return f"{head}.{other}.{sign}"


def _demanding(found: Provider) -> str:
    head, body, sign = found.token().split(".")
    said = {**json.loads(base64.urlsafe_b64decode(head + "==")), "crit": ["b64"], "b64": False}
    return f"{coded(json.dumps(said).encode())}.{body}.{sign}"


ES = {"alg": "ES256"}
FORGED: dict[str, Callable[[Provider], str]] = {
    "of another issuer": lambda one: one.token(iss="https://evil.example.org"),
    "of a longer name of the issuer": lambda one: one.token(iss=f"{one.url}/"),
    "for another client": lambda one: one.token(aud="other"),
    "for nobody": lambda one: one.token(aud=None),
    "for a part of our name": lambda one: one.token(aud="stead2"),
    "for us, given to another client": lambda one: one.token(aud=[CLIENT, "other"], azp="other"),
    "that has ended": lambda one: one.token(exp=int(time.time()) - 31),
    "without an end": lambda one: one.token(exp=None),
    "whose end is no number": lambda one: one.token(exp="9999999999"),
    "whose end is true": lambda one: one.token(exp=True),
    "of the future": lambda one: one.token(nbf=int(time.time()) + 600),
    "made in the future": lambda one: one.token(iat=int(time.time()) + 600),
    "without a name": lambda one: one.token(preferred_username=None),
    "with a name that is none": lambda one: one.token(preferred_username=["lena"]),
    "without an id": lambda one: one.token(sub=None),
    "with an empty id": lambda one: one.token(sub=""),
    "without a signature": lambda one: unsigned(one, "none"),
    "without a signature, shouted": lambda one: unsigned(one, "NoNe"),
    "whose signature is empty": lambda one: unsigned(one, "RS256"),
    "signed with the public key as a secret": lambda one: one.signed_with(one.key.as_pem(private=False), "of-tests"),
    "signed with a secret of the list": lambda one: one.signed_with(b"secret", "secret"),
    "signed by a stranger": lambda one: one.token(key=RSAKey.generate_key(2048)),
    "signed by a stranger, whose key it brings": _bringing,
    "whose key has an unknown id": lambda one: one.token(header={"alg": "RS256", "kid": "unknown"}),
    "signed by a stranger, without the id of a key": lambda one: one.token(
        header={"alg": "RS256"}, key=RSAKey.generate_key(2048)
    ),
    "of one key, by the way of another": lambda one: one.token(
        header={"alg": "ES256", "kid": "of-tests"}, key=one.curve
    ),
    "that is changed": _changed,
    "with a demand that nobody knows": _demanding,
    "that is none": lambda _: "a.b.c",
    "that is empty": lambda _: "..",
    "whose header is deep": lambda one: f"{coded(b'[' * 11_000)}.{one.token().partition('.')[2]}",
    "that is long": lambda one: one.token(more="x" * 20_000),
}


@pytest.mark.parametrize("what", FORGED)
def test_no_other_token_lets_in(sso: Site, issuer: Provider, what: str) -> None:
    status, _, body = bring(sso, FORGED[what](issuer))
    assert status == 401, body
    assert "issuer" not in str(body)  # why, is told to nobody


def test_what_is_no_token_lets_nobody_in(sso: Site, issuer: Provider) -> None:
    assert sso.call("POST", PATH)[0] == 401
    assert sso.call("POST", PATH, headers={"Authorization": f"Basic {issuer.token()}"})[0] == 401
    assert bring(sso, issuer.token(), PATH.replace("sso", "other"))[0] == 404
    assert bring(sso, issuer.token(), PATH.replace("openid", "saml2"))[0] == 404
    ours = sso.token("bob")
    assert bring(sso, ours)[0] == 401


def test_unknown_keys_are_not_looked_for_all_the_time(sso: Site, issuer: Provider) -> None:
    bring(sso, issuer.token())
    before = sum(path == "/jwks" for path, _ in issuer.asked)
    for number in range(20):
        bring(sso, issuer.token(header={"alg": "RS256", "kid": f"unknown-{number}"}))
    assert sum(path == "/jwks" for path, _ in issuer.asked) <= before + 1


def test_one_address_cannot_try_tokens_without_end(sso: Site) -> None:
    assert [bring(sso, "a.b.c")[0] for _ in range(51)] == [*[401] * 50, 429]


def test_who_was_shut_out_by_another_process_does_not_come_back_by_logging_in(sso: Site, issuer: Provider) -> None:
    """Each login writes the record of its user, and must not write what it was."""
    claims: dict[str, Any] = {"sub": "s-otto", "preferred_username": "otto"}
    user = bring(sso, issuer.token(**claims))[2]["token"]["user"]["id"]
    other = people_of(sso.means)
    sso.people.known()
    other.change_user(user, enabled=False)
    assert bring(sso, issuer.token(**claims))[0] == 401
    assert not other.known_now()["user", user]["enabled"]


def test_everything_of_a_user_ends_who_does_not_log_in_again(sso: Site, issuer: Provider) -> None:
    answer = bring(sso, issuer.token(sub="s-olga", preferred_username="olga"))
    token = scoped(sso, answer, {"project": {"id": sso.projects["files"]}})[1]["x-subject-token"]
    user = answer[2]["token"]["user"]["id"]
    made = sso.call(
        "POST",
        f"/identity/v3/users/{user}/application_credentials",
        {"application_credential": {"name": "robot"}},
        headers={"X-Auth-Token": token},
    )[2]["application_credential"]
    secret = {"id": made["id"], "secret": made["secret"]}
    by_secret = {"auth": {"identity": {"methods": ["application_credential"], "application_credential": secret}}}
    assert sso.call("POST", "/identity/v3/auth/tokens", by_secret)[0] == 201
    record = sso.people.user(user)
    sso.people.write({("user", user): {**record, "seen": time.time() - 8 * 3600 - 1}})
    assert sso.call("GET", "/compute/v2.1/servers", headers={"X-Auth-Token": token})[0] == 401
    assert sso.call("POST", "/identity/v3/auth/tokens", by_secret)[0] == 401
    left = bring(sso, issuer.token(sub="s-olga", preferred_username="olga", groups=[]))
    assert scoped(sso, left, {"project": {"id": sso.projects["files"]}})[0] == 401
    assert sso.call("POST", "/identity/v3/auth/tokens", by_secret)[0] == 401  # the group is left


# The portal


def gone(browser: PlainBrowser) -> str:
    page = browser.get("/login/with/sso")
    assert page.status == 303, page
    return page.headers["location"]


def returned(browser: PlainBrowser, address: str) -> Got:
    asked = urllib.parse.urlsplit(address)
    assert asked.path == "/portal/login/back"
    return browser.get(f"/login/back?{asked.query}")


def test_a_browser_goes_to_the_provider_and_comes_back(sso: Site, issuer: Provider) -> None:
    browser = PlainBrowser(sso)
    assert "Log in with Example" in browser.get("/login").text
    address = gone(browser)
    asked = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(address).query))
    assert asked["code_challenge_method"] == "S256"
    back = authorized(address, "s-lena")
    assert returned(browser, back).status == 303
    form = next(form for path, form in reversed(issuer.asked) if "code_verifier" in form and path != "/jwks")
    digest = hashlib.sha256(form["code_verifier"].encode()).digest()
    assert asked["code_challenge"] == coded(digest)
    page = browser.get("/")
    assert page.status == 200
    assert "lena" in page.text
    assert returned(browser, back).status == 401  # once


def test_people_log_in_with_a_browser_though_programs_have_an_audience(issuer: Provider, tmp_path: Path) -> None:
    """What the provider answers to a login is always for the client."""
    site = Site(write_site(tmp_path, SITE + settings(issuer, tmp_path, audience="stead-api")))
    try:
        browser = PlainBrowser(site)
        assert returned(browser, authorized(gone(browser), "s-lena")).status == 303
        assert browser.get("/").status == 200
        assert bring(site, issuer.token(aud="stead-api"))[0] == 201
        assert bring(site, issuer.token(aud="other"))[0] == 401
    finally:
        site.close()


def test_a_code_is_of_no_use_in_another_browser(sso: Site) -> None:
    """Neither to who stole it, nor to log somebody in as somebody else by a link."""
    victim, thief = PlainBrowser(sso), PlainBrowser(sso)
    back = authorized(gone(victim), "s-lena")
    assert returned(thief, back).status == 401  # it began no login
    gone(thief)
    assert returned(thief, back).status == 401  # it began another one
    state = urllib.parse.urlencode({"state": "", "code": "x"})
    assert thief.get(f"/login/back?{state}").status == 401
    assert thief.get("/login/back").status == 401
    thief.cookies["stead-login"] = "forged"
    assert returned(thief, back).status == 401
    assert thief.get("/").status == 303


def test_one_address_cannot_try_codes_without_end(sso: Site, issuer: Provider) -> None:
    """Each is a request to the provider, and one login of a browser stands for as many as it likes."""
    browser = PlainBrowser(sso)
    state = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(gone(browser)).query))["state"]
    cookies = dict(browser.cookies)
    before = sum(path == "/oauth2/token" for path, _ in issuer.asked)
    statuses = []
    for _ in range(51):
        browser.cookies.update(cookies)
        statuses.append(browser.get(f"/login/back?code=x&state={state}").status)
    assert statuses == [*[401] * 50, 429]
    assert sum(path == "/oauth2/token" for path, _ in issuer.asked) == before + 50


def test_a_token_of_another_login_lets_nobody_in(sso: Site, issuer: Provider) -> None:
    """What the provider answers is for this login, or for none."""
    for nonce in ("another", None):
        browser = PlainBrowser(sso)
        back = authorized(gone(browser), "s-lena")
        issuer.changed["/oauth2/token"] = {"id_token": issuer.token(nonce=nonce), "access_token": "x"}
        try:
            assert returned(browser, back).status == 401
        finally:
            issuer.changed.clear()
        assert browser.get("/").status == 303


def test_who_the_provider_does_not_let_in_is_told_so(sso: Site) -> None:
    browser = PlainBrowser(sso)
    state = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(gone(browser)).query))["state"]
    page = browser.get(f"/login/back?error=access_denied&error_description=%3Cscript%3E&state={state}")
    assert page.status == 401
    assert "<script>" not in page.text
    nameless = PlainBrowser(sso)
    assert returned(nameless, authorized(gone(nameless), "s-nameless")).status == 401
    assert PlainBrowser(sso).get("/login/with/nobody").status == 404


@pytest.mark.parametrize(
    "facts",
    [
        {"issuer": "https://evil.example.org"},
        {"issuer": None},
        {"jwks_uri": "file:///etc/passwd", "authorization_endpoint": "javascript:alert(1)"},
    ],
)
def test_a_provider_that_says_it_is_another_is_none(tmp_path: Path, facts: dict[str, Any]) -> None:
    with oidc.provider(free_port()) as found:
        found.changed["/.well-known/openid-configuration"] = {"issuer": found.url, **facts}
        site = Site(write_site(tmp_path, SITE + settings(found, tmp_path)))
        try:
            status, headers, _ = bring(site, found.token())
            assert (status, headers["x-stead-code"]) == (503, "STEAD-W013")
            site.people.outside.providers.forget_faults()  # type: ignore[union-attr]
            assert PlainBrowser(site).get("/login/with/sso").status == 503
        finally:
            site.close()


def test_a_key_that_cannot_be_read_keeps_nobody_out(tmp_path: Path) -> None:
    """Providers also publish keys for others, on curves that the library does not have."""
    odd: list[dict[str, Any]] = [{"kty": "EC", "crv": "BP-256"}, {"kty": "EC", "crv": "P-256"}, {"kty": "RSA", "n": 5}]
    with oidc.provider(free_port()) as found:
        odd = [{"x": "AA", "y": "AA", "kid": f"odd-{at}", **one} for at, one in enumerate(odd)]
        found.changed["/jwks"] = {"keys": [*odd, found.key.as_dict(private=False)]}
        site = Site(write_site(tmp_path, SITE + settings(found, tmp_path)))
        try:
            assert bring(site, found.token())[0] == 201
            assert bring(site, found.token(header={"alg": "ES256", "kid": "odd-0"}, key=found.curve))[0] == 401
        finally:
            site.close()


def test_a_provider_that_is_away_keeps_nobody_else_out(tmp_path: Path) -> None:
    with oidc.provider(free_port()) as found:
        text = SITE + settings(found, tmp_path)
        token = found.token()
    site = Site(write_site(tmp_path, text))
    try:
        assert bring(site, token)[0] == 503
        assert PlainBrowser(site).get("/login/with/sso").status == 503
        assert site.log_in("bob")[0] == 201
    finally:
        site.close()


def test_a_server_does_not_start_without_the_files_of_a_provider(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    secret = tmp_path / "secret"
    there = OidcSettings(issuer="https://sso.example.org", client_id="stead", client_secret_file=str(secret))
    with pytest.raises(Refused, match="STEAD-C106"):
        must_be_ready(IdentitySettings(oidc={"sso": there}))
    secret.write_text("text")
    secret.chmod(0o600)
    must_be_ready(IdentitySettings(oidc={"sso": there}))
    monkeypatch.setattr("importlib.util.find_spec", dict[str, None]().get)
    with pytest.raises(Refused, match="STEAD-C060 Missing: joserfc"):
        must_be_ready(IdentitySettings(oidc={"sso": there}))
