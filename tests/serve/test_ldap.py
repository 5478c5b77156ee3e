"""People of a directory log in with its passwords: against a real slapd."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import ldap3
import pytest
from tests.serve import directory
from tests.serve.directory import ACCOUNT, ACCOUNT_PASSWORD, GROUPS, PASSWORD, PEOPLE, Directory, group, person
from tests.serve.served import PASSWORD as OF_STORE
from tests.serve.served import SITE, Reply, Site, write_site

from stead.cli.common.serving import must_be_ready
from stead.core.diagnostics import Refused
from stead.language.desired.identity import IdentitySettings, LdapSettings
from stead.serve.begin import begun
from stead.serve.edits import Who
from stead.serve.identity.declared import group_id
from stead.serve.identity.secret_files import secret_of

EVERYBODY = "".join(
    [
        *(person(name) for name in ("lena", "mira", "bob", "kim", "nils", "root2", "gone", "again", "locked", "away")),
        person("Ünï (x)*"),
        group("web-team", "lena", "gone", "again", "away"),
        group("cloud-admins", "mira"),
        group("readers", "lena"),
        group("others", "kim"),
    ]
)


def settings(found: Directory, **more: Any) -> str:
    said = {
        "url": found.closed,
        "ca": found.ca,
        "users": PEOPLE,
        "groups": GROUPS,
        "bind_dn": ACCOUNT,
        "password_file": found.folder / "secret",
        "timeout": "2s",
        **more,
    }
    (found.folder / "secret").write_text(ACCOUNT_PASSWORD + "\n")
    (found.folder / "secret").chmod(0o600)
    lines = "".join(f"        {word}: {value}\n" for word, value in said.items() if value is not None)
    roles = "[{group: web-team, project: files}, {group: cloud-admins, role: admin}, {group: readers, role: reader}]"
    return f"site:\n  identity:\n    ldap:\n      corp:\n{lines}        roles: {roles}\n"


@pytest.fixture(scope="module")
def slapd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Directory]:
    found = Directory(tmp_path_factory.mktemp("slapd"), EVERYBODY)
    yield found
    found.stop()


@pytest.fixture(scope="module")
def corp(slapd: Directory, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    found = Site(write_site(tmp_path_factory.mktemp("corp"), SITE + settings(slapd)))
    yield found
    found.close()


@pytest.fixture(autouse=True)
def _nobody_is_locked(request: pytest.FixtureRequest) -> None:
    if "corp" in request.fixturenames:
        people = request.getfixturevalue("corp").people
        people.lockout._wrong.clear()
        people.addresses._wrong.clear()


def enter(site: Site, name: str, password: str = PASSWORD, *, scope: Any = None, domain: str = "corp") -> Reply:
    user = {"name": name, "domain": {"name": domain}, "password": password}
    auth = {"identity": {"methods": ["password"], "password": {"user": user}}, **({"scope": scope} if scope else {})}
    return site.call("POST", "/identity/v3/auth/tokens", {"auth": auth})


def get(site: Site, path: str, token: str, method: str = "GET", body: Any = None) -> Reply:
    return site.call(method, path, body, headers={"X-Auth-Token": token})


def token_of(answer: Reply) -> str:
    assert answer[0] == 201, answer
    return str(answer[1]["x-subject-token"])


def in_files(site: Site) -> dict[str, Any]:
    return {"project": {"id": site.projects["files"]}}


def test_a_user_of_the_directory_has_the_roles_of_the_groups(corp: Site) -> None:
    answer = enter(corp, "lena", scope=in_files(corp))
    assert answer[2]["token"]["user"]["domain"]["name"] == "corp"
    assert {one["name"] for one in answer[2]["token"]["roles"]} == {"member", "reader"}
    status, _, body = get(corp, "/compute/v2.1/servers", token_of(answer))
    assert (status, body) == (200, {"servers": []})
    system = enter(corp, "mira", scope={"system": {"all": True}})
    assert "admin" in {one["name"] for one in system[2]["token"]["roles"]}
    listed = get(corp, "/identity/v3/users", token_of(system))[2]["users"]
    mira = next(one for one in listed if one["name"] == "mira")
    assert mira["email"] == "mira@example.org"
    groups = get(corp, f"/identity/v3/users/{mira['id']}/groups", token_of(system))[2]["groups"]
    assert [one["name"] for one in groups] == ["cloud-admins"]


def test_no_group_is_no_role(corp: Site) -> None:
    assert enter(corp, "kim")[0] == 201
    assert enter(corp, "kim", scope=in_files(corp))[0] == 401
    assert enter(corp, "kim", scope={"system": {"all": True}})[0] == 401


def test_one_name_in_two_domains_is_two_people(corp: Site) -> None:
    """bob is in the store and in the directory, each with a password of his own."""
    assert enter(corp, "bob", PASSWORD)[0] == 201
    assert enter(corp, "bob", OF_STORE)[0] == 401
    assert enter(corp, "bob", PASSWORD, domain="Default")[0] == 401
    assert enter(corp, "bob", OF_STORE, domain="Default")[0] == 201
    ours, theirs = corp.people.named("bob"), enter(corp, "bob")[2]["token"]["user"]["id"]
    assert ours != theirs
    assert enter(corp, "bob", scope={"project": {"id": corp.projects["bobs"]}})[0] == 401


def test_the_password_of_the_store_is_never_asked_for_people_of_the_directory(corp: Site) -> None:
    user = enter(corp, "lena")[2]["token"]["user"]["id"]
    for said in ({"id": user}, {"id": user, "name": "lena", "domain": {"id": "default"}}):
        body = {"identity": {"methods": ["password"], "password": {"user": {**said, "password": PASSWORD}}}}
        assert corp.call("POST", "/identity/v3/auth/tokens", {"auth": body})[0] == 201
        body["identity"]["password"]["user"]["password"] = OF_STORE  # type: ignore[index]
        assert corp.call("POST", "/identity/v3/auth/tokens", {"auth": body})[0] == 401
    assert PASSWORD not in str(corp.people.known())


@pytest.mark.parametrize("password", ["", "\u00ad", "\u200b", "\x00", "*", f"{PASSWORD}\x00", "wrong"])
def test_nothing_but_the_password_lets_in(corp: Site, password: str) -> None:
    """slapd here answers a login without a password with success, as nobody: RFC 4513, 5.1.2."""
    assert enter(corp, "lena", password)[0] == 401


@pytest.mark.parametrize(
    "name",
    [
        *("*", "lena)(uid=*", "lena)(|(uid=*", "*)(uid=lena", "le*", "\\2a", "lena\x00", "("),
        *("mira)(objectClass=*", f"uid=lena,{PEOPLE}"),
    ],
)
def test_a_name_is_no_filter(corp: Site, name: str) -> None:
    assert enter(corp, name)[0] == 401


def test_a_name_may_have_what_filters_have(corp: Site) -> None:
    assert enter(corp, "Ünï (x)*")[2]["token"]["user"]["name"] == "Ünï (x)*"


def test_guesses_are_counted_by_who_is_meant(corp: Site) -> None:
    """The directory takes a name in any case and with spaces around it; each of these is the same person."""
    for name in ("locked", "LOCKED", " locked", "Locked ", "lockeD"):
        assert enter(corp, name, "guess")[0] == 401
    assert enter(corp, "locked")[0] == 401
    assert enter(corp, "lena")[0] == 201


def test_one_address_cannot_guess_at_everybody(corp: Site) -> None:
    answers = [enter(corp, f"nobody{number}", "guess")[0] for number in range(51)]
    assert answers[:50] == [401] * 50
    assert answers[50] == 429


def test_what_the_directory_says_is_not_changed_here(corp: Site) -> None:
    admin = token_of(enter(corp, "mira", scope={"system": {"all": True}}))
    user = enter(corp, "lena")[2]["token"]["user"]
    domain = user["domain"]["id"]
    for method, path, body in (
        ("PATCH", f"/users/{user['id']}", {"user": {"password": "a new one"}}),
        ("PATCH", f"/users/{user['id']}", {"user": {"name": "somebody"}}),
        ("POST", "/users", {"user": {"name": "mira", "password": "a new one", "domain_id": domain}}),
        ("POST", "/groups", {"group": {"name": "cloud-admins", "domain_id": domain}}),
        ("PATCH", f"/domains/{domain}", {"domain": {"enabled": False}}),
        ("DELETE", f"/domains/{domain}", None),
    ):
        assert get(corp, f"/identity/v3{path}", admin, method, body)[0] == 403, path
    groups = get(corp, f"/identity/v3/groups?domain_id={domain}", admin)[2]["groups"]
    assert {one["name"] for one in groups} == {"web-team", "cloud-admins", "readers"}
    team = next(one["id"] for one in groups if one["name"] == "web-team")
    kim = enter(corp, "kim")[2]["token"]["user"]["id"]
    assert get(corp, f"/identity/v3/groups/{team}/users/{kim}", admin, "PUT")[0] == 403
    assert get(corp, f"/identity/v3/groups/{team}", admin, "DELETE")[0] == 403
    members = get(corp, f"/identity/v3/groups/{team}/users", admin)[2]["users"]
    assert "lena" in {one["name"] for one in members}
    role = get(corp, "/identity/v3/roles?name=member", admin)[2]["roles"][0]["id"]
    held = f"/identity/v3/projects/{corp.projects['files']}/groups/{team}/roles/{role}"
    assert get(corp, held, admin, "DELETE")[0] == 403
    own = get(corp, f"/identity/v3/users/{user['id']}/password", token_of(enter(corp, "lena")), "POST",
              {"user": {"password": "a new one", "original_password": PASSWORD}})  # fmt: skip
    assert own[0] in (401, 403)
    assert enter(corp, "lena")[0] == 201


def test_an_admin_shuts_somebody_of_the_directory_out(corp: Site) -> None:
    admin = token_of(enter(corp, "mira", scope={"system": {"all": True}}))
    answer = enter(corp, "nils")
    user = answer[2]["token"]["user"]["id"]
    assert get(corp, f"/identity/v3/users/{user}", admin, "PATCH", {"user": {"enabled": False}})[0] == 200
    assert enter(corp, "nils")[0] == 401
    assert get(corp, "/identity/v3/auth/projects", token_of(answer))[0] == 401


def later(site: Site, seconds: float) -> None:
    """As if this long had passed since the directory was asked."""
    known = site.people.outside._known  # type: ignore[union-attr]
    for user, one in known.items():
        known[user] = one._replace(at=one.at - seconds)


def test_who_leaves_a_group_loses_its_role_when_the_directory_is_asked_again(corp: Site, slapd: Directory) -> None:
    token = token_of(enter(corp, "gone", scope=in_files(corp)))
    slapd.change(f"cn=web-team,{GROUPS}", ldap3.MODIFY_DELETE, member=f"uid=gone,{PEOPLE}")
    assert get(corp, "/compute/v2.1/servers", token)[0] == 200  # until it is asked again
    later(corp, 301)
    assert get(corp, "/compute/v2.1/servers", token)[0] == 401
    assert enter(corp, "gone", scope=in_files(corp))[0] == 401
    slapd.change(f"cn=web-team,{GROUPS}", ldap3.MODIFY_ADD, member=f"uid=gone,{PEOPLE}")
    assert enter(corp, "gone", scope=in_files(corp))[0] == 201


def test_who_is_deleted_loses_all_and_a_namesake_has_none_of_it(corp: Site, slapd: Directory) -> None:
    answer = enter(corp, "again", scope=in_files(corp))
    token, user = token_of(answer), answer[2]["token"]["user"]["id"]
    path = f"/identity/v3/users/{user}/application_credentials"
    made = get(corp, path, token, "POST", {"application_credential": {"name": "robot"}})[2]["application_credential"]
    secret = {"id": made["id"], "secret": made["secret"]}
    by_secret = {"auth": {"identity": {"methods": ["application_credential"], "application_credential": secret}}}
    assert corp.call("POST", "/identity/v3/auth/tokens", by_secret)[0] == 201
    slapd.change(f"uid=again,{PEOPLE}", "delete")
    later(corp, 301)
    assert get(corp, "/compute/v2.1/servers", token)[0] == 401
    assert corp.call("POST", "/identity/v3/auth/tokens", by_secret)[0] == 401
    assert enter(corp, "again")[0] == 401
    new = {"uid": "again", "cn": "again", "sn": "again", "userPassword": "another person's"}
    slapd.change(f"uid=again,{PEOPLE}", "add", objectClass="inetOrgPerson", **new)
    other = enter(corp, "again", "another person's")[2]["token"]["user"]["id"]
    assert other != user
    assert corp.call("POST", "/identity/v3/auth/tokens", by_secret)[0] == 401


def test_who_was_deleted_is_not_let_in_while_the_directory_is_down(corp: Site, slapd: Directory) -> None:
    token = token_of(enter(corp, "away", scope=in_files(corp)))
    slapd.change(f"uid=away,{PEOPLE}", "delete")
    later(corp, 301)
    assert get(corp, "/compute/v2.1/servers", token)[0] == 401
    slapd.stop()
    try:
        later(corp, 301)
        assert get(corp, "/compute/v2.1/servers", token)[0] == 401
    finally:
        slapd.start()
    corp.people.outside.providers.forget_faults()  # type: ignore[union-attr]


def test_an_admin_forgets_somebody_of_a_group_of_the_directory(corp: Site) -> None:
    user = enter(corp, "lena", scope=in_files(corp))[2]["token"]["user"]["id"]
    listed = corp.call("GET", f"/identity/v3/role_assignments?effective&user.id={user}", None, "ada")[2]
    assert {one["scope"]["project"]["id"] for one in listed["role_assignments"] if "project" in one["scope"]} == {
        corp.projects["files"]
    }
    assert corp.call("DELETE", f"/identity/v3/users/{user}", None, "ada")[0] == 204
    assert enter(corp, "lena", scope=in_files(corp))[0] == 201


def test_while_the_directory_is_down_the_people_of_the_store_work(corp: Site, slapd: Directory) -> None:
    token = token_of(enter(corp, "lena", scope=in_files(corp)))
    slapd.stop()
    try:
        status, headers, body = enter(corp, "lena")
        assert (status, headers["x-stead-code"]) == (503, "STEAD-W013"), body
        assert "does not answer" in body["error"]["message"]
        assert enter(corp, "bob", OF_STORE, domain="Default")[0] == 201
        assert get(corp, "/compute/v2.1/servers", token)[0] == 200
        later(corp, 301)
        assert get(corp, "/compute/v2.1/servers", token)[0] == 200  # what it said last holds
        later(corp, 3600)
        own = corp.people.tokens.opened(token, 0.0)
        assert own is not None
        old = corp.people.tokens.sealed(own._replace(issued=own.issued - 3601))
        assert get(corp, "/compute/v2.1/servers", old)[0] == 401  # for an hour
    finally:
        slapd.start()
    corp.people.outside.providers.forget_faults()  # type: ignore[union-attr]
    assert get(corp, "/compute/v2.1/servers", token)[0] == 200
    assert enter(corp, "lena")[0] == 201


def test_a_directory_that_never_answers_keeps_nobody_else_waiting(slapd: Directory, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0), backlog=50) as silent:
        url = f"ldaps://127.0.0.1:{silent.getsockname()[1]}"
        site = Site(write_site(tmp_path, SITE + settings(slapd, url=url, timeout="1s")))
        try:
            assert enter(site, "lena")[0] == 503
            assert enter(site, "bob", OF_STORE, domain="Default")[0] == 201
        finally:
            site.close()


@pytest.mark.parametrize(
    "more",
    [
        {"ca": None},
        {"bind_dn": f"cn=nobody,{directory.BASE}"},
        {"users": "ou=nowhere,dc=example,dc=org"},
        {"user_id": "telephoneNumber"},
        {"ca": "/nowhere"},
        {"password_file": "/nowhere"},
    ],
)
def test_a_directory_that_cannot_be_believed_or_used_lets_nobody_in(
    slapd: Directory, tmp_path: Path, more: dict[str, Any]
) -> None:
    site = Site(write_site(tmp_path, SITE + settings(slapd, **more)))
    try:
        status, headers, _ = enter(site, "lena")
        assert (status, headers["x-stead-code"]) == (503, "STEAD-W013")
    finally:
        site.close()


@pytest.mark.parametrize("certificate", ["other", "stranger"])
@pytest.mark.parametrize("begins", [True, False])
def test_who_proves_another_name_is_told_no_password(tmp_path: Path, certificate: str, *, begins: bool) -> None:
    (tmp_path / "slapd").mkdir()
    found = Directory(tmp_path / "slapd", EVERYBODY, certificate=certificate)
    more = {"url": found.plain, "start_tls": "true"} if begins else {}
    site = Site(write_site(tmp_path / "site", SITE + settings(found, **more)))
    try:
        assert enter(site, "lena")[0] == 503
    finally:
        site.close()
        found.stop()


def test_tls_begins_on_a_plain_connection(slapd: Directory, tmp_path: Path) -> None:
    site = Site(write_site(tmp_path, SITE + settings(slapd, url=slapd.plain, start_tls="true")))
    try:
        assert enter(site, "lena")[0] == 201
    finally:
        site.close()


def test_a_domain_that_leaves_the_files_lets_nobody_in(slapd: Directory, tmp_path: Path) -> None:
    site = Site(write_site(tmp_path, SITE + settings(slapd)))
    try:
        answer = enter(site, "lena")
        token, domain = token_of(answer), answer[2]["token"]["user"]["domain"]["id"]
        assert get(site, "/identity/v3/auth/projects", token)[0] == 200
        for holder in (answer[2]["token"]["user"]["id"], group_id(domain, "web-team")):
            site.people.assign(holder, site.projects["bobs"], "reader")
        write_site(tmp_path)
        begun(site.cloud, Who("tests", ""), "any")  # the files are read with the next change
        site.people._read_at = -10.0
        assert get(site, "/identity/v3/auth/projects", token)[0] == 401
        assert enter(site, "lena")[0] == 401
        listed = site.call("GET", "/identity/v3/role_assignments?include_names", None, "ada")
        assert listed[0] == 200
    finally:
        site.close()


def test_a_file_that_others_read_is_no_secret(tmp_path: Path) -> None:
    path = tmp_path / "secret"
    path.write_text("text\n")
    path.chmod(0o644)
    with pytest.raises(Refused, match="STEAD-C106 Others than its owner"):
        secret_of(str(path))
    path.chmod(0o600)
    assert secret_of(str(path)) == "text"
    path.write_text("\n")
    with pytest.raises(Refused, match="is empty"):
        secret_of(str(path))


def test_a_server_does_not_start_with_files_that_cannot_be_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    there = LdapSettings(url="ldaps://localhost", users="dc=a", ca=str(tmp_path / "ca.pem"))
    with pytest.raises(Refused, match=r"STEAD-C106 .*ca.pem: No such file"):
        must_be_ready(IdentitySettings(ldap={"corp": there}))
    (tmp_path / "ca.pem").write_text("no certificate")
    with pytest.raises(Refused, match=r"STEAD-C106 .*no certificate in PEM"):
        must_be_ready(IdentitySettings(ldap={"corp": there}))
    bad = LdapSettings(url="ldaps://localhost", users="dc=a", user_filter="(a=b))(c=d)")
    with pytest.raises(Refused, match=r"STEAD-C107 .*is no filter"):
        must_be_ready(IdentitySettings(ldap={"corp": bad}))
    monkeypatch.setattr("importlib.util.find_spec", dict[str, None]().get)
    with pytest.raises(Refused, match="STEAD-C060 Missing: ldap3"):
        must_be_ready(IdentitySettings(ldap={"corp": there}))
