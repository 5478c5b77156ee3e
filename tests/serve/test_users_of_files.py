"""Users and members of the site's files: what lets them in, and what ends when they are taken out."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.serve.served import PASSWORD, SITE, Site, write_site

from stead.cli import main
from stead.serve.identity.registry import USER
from stead.serve.identity.scopes import SYSTEM

PEOPLE = """
users:
  amy: {admin: true, email: amy@example.org}
  mia: {login: mia@example.org}
  ned: {}
"""
MEMBERS = "members: [mia@example.org, {name: ned, role: reader}, bob, nobody], "
IN_PROJECT = SITE.replace("files: {", f"files: {{{MEMBERS}")
NEW = "another horse battery"


class FilesSite:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        write_site(folder, IN_PROJECT + PEOPLE)
        self.apply()
        self.site = Site(folder)
        for name in ("amy", "mia@example.org", "ned"):
            self.set_password(name)

    def apply(self, text: str = "") -> None:
        if text:
            (self.folder / "stead.yml").write_text(text, encoding="utf-8")
        assert main(["apply", "-s", str(self.folder), "--auto-approve", "-q"]) == 0

    def apply_now(self, text: str) -> None:
        """And wait until the server has seen it."""
        self.apply(text)
        self.site.people.known_now()

    def set_password(self, name: str) -> None:
        people = self.site.people
        people.known_now()
        people.set_password(people.named(name) or "", PASSWORD)

    def token(self, name: str, project: str = "", *, system: bool = False, password: str = PASSWORD) -> str:
        user = {"name": name, "domain": {"id": "default"}, "password": password}
        scope = {"project": {"id": project}} if project else {"system": {"all": True}} if system else None
        auth = {"identity": {"methods": ["password"], "password": {"user": user}}} | ({"scope": scope} if scope else {})
        return str(self.site.call("POST", "/identity/v3/auth/tokens", {"auth": auth})[1].get("x-subject-token", ""))

    def call(self, method: str, path: str, token: str, body: object = None) -> tuple[int, object]:
        status, _, said = self.site.call(method, path, body, headers={"X-Auth-Token": token})
        return status, said


@pytest.fixture
def files(tmp_path: Path) -> Iterator[FilesSite]:
    found = FilesSite(tmp_path / "site")
    yield found
    found.site.close()


def test_members_have_their_roles_and_admins_the_cloud(files: FilesSite) -> None:
    inner, bobs = files.site.projects["files"], files.site.projects["bobs"]
    assert files.token("mia@example.org", inner)
    assert not files.token("mia@example.org", bobs)
    networks = "/network/v2.0/networks"
    mia, ned = files.token("mia@example.org", inner), files.token("ned", inner)
    assert files.call("GET", networks, ned)[0] == 200
    assert files.call("POST", networks, ned, {"network": {"name": "x"}})[0] == 403
    status, said = files.call("POST", networks, mia, {"network": {"name": "x"}})
    assert status == 403
    assert "stead.yml" in str(said)
    assert files.token("bob", inner)  # of the store: a member by name
    assert files.call("GET", "/identity/v3/users", files.token("amy", system=True))[0] == 200
    assert not files.token("ned", system=True)
    assert not files.token("nobody", inner)


def test_the_api_changes_nobody_of_files(files: FilesSite) -> None:
    amy = files.token("amy", system=True)
    users = {one["name"]: one["id"] for one in files.call("GET", "/identity/v3/users", amy)[1]["users"]}  # type: ignore[index]
    path = f"/identity/v3/users/{users['ned']}"
    for body in ({"name": "eve2"}, {"enabled": False}, {"email": "x@y"}, {"password": NEW}, {"cost": "1"}):
        status, said = files.call("PATCH", path, amy, {"user": body})
        assert status == 403, body
        assert "stead.yml" in str(said), body
    assert files.call("DELETE", path, amy)[0] == 403
    role = files.call("GET", "/identity/v3/roles?name=reader", amy)[1]["roles"][0]["id"]  # type: ignore[index]
    assigned = f"/identity/v3/projects/{files.site.projects['files']}/users/{users['ned']}/roles/{role}"
    assert files.call("DELETE", assigned, amy)[0] == 403
    assert files.call("POST", "/identity/v3/users", amy, {"user": {"name": "ned", "password": NEW}})[0] == 409
    own = {"user": {"original_password": PASSWORD, "password": NEW}}
    ned = files.token("ned")
    assert files.call("POST", f"{path}/password", ned, own)[0] == 204
    assert files.call("GET", "/identity/v3/auth/projects", ned)[0] == 401
    assert files.token("ned", password=NEW)
    assert not files.token("ned")


def credential_of(files: FilesSite, name: str) -> tuple[dict[str, str], str]:
    token = files.token(name, files.site.projects["files"])
    user = files.site.people.named(name)
    path = f"/identity/v3/users/{user}/application_credentials"
    said = files.call("POST", path, token, {"application_credential": {"name": "ci"}})[1]
    made = said["application_credential"]  # type: ignore[index]
    return {"id": made["id"], "secret": made["secret"]}, token


def entered(files: FilesSite, credential: dict[str, str]) -> int:
    identity = {"methods": ["application_credential"], "application_credential": credential}
    return files.site.call("POST", "/identity/v3/auth/tokens", {"auth": {"identity": identity}})[0]


def test_all_of_a_user_ends_with_the_user(files: FilesSite) -> None:
    credential, token = credential_of(files, "ned")
    assert entered(files, credential) == 201
    files.apply_now(IN_PROJECT + PEOPLE.replace("  ned: {}\n", ""))
    assert files.call("GET", "/network/v2.0/networks", token)[0] == 401
    assert entered(files, credential) == 401
    assert not files.token("ned")
    # Another ned, years later: nothing of the first one is his.
    files.apply_now(IN_PROJECT + PEOPLE)
    assert files.call("GET", "/network/v2.0/networks", token)[0] == 401
    assert entered(files, credential) == 401
    assert not files.token("ned")
    files.set_password("ned")
    assert files.token("ned", files.site.projects["files"])
    assert entered(files, credential) == 401


def test_all_of_a_user_ends_where_nobody_saw_the_removal(tmp_path: Path) -> None:
    files = FilesSite(tmp_path / "site")
    credential, _ = credential_of(files, "ned")
    files.site.close()
    files.apply(IN_PROJECT + PEOPLE.replace("  ned: {}\n", ""))
    files.apply(IN_PROJECT + PEOPLE)
    files.site = Site(files.folder, files.site.projects)
    assert entered(files, credential) == 401
    assert not files.token("ned")
    files.site.close()


def test_who_is_locked_out_and_who_leaves_a_project(files: FilesSite) -> None:
    inner = files.site.projects["files"]
    mia, ned = files.token("mia@example.org", inner), files.token("ned", inner)
    changed = IN_PROJECT.replace("{name: ned, role: reader}, ", "") + PEOPLE.replace("login:", "enabled: false, login:")
    files.apply_now(changed)
    assert files.call("GET", "/network/v2.0/networks", mia)[0] == 401
    assert files.call("GET", "/network/v2.0/networks", ned)[0] == 401
    assert files.token("ned")
    assert not files.token("ned", inner)
    assert not files.token("mia@example.org")


def test_what_is_not_applied_counts_for_nobody(files: FilesSite) -> None:
    more = PEOPLE.replace("ned: {}", "ned: {admin: true}") + "  zoe: {admin: true}\n"
    (files.folder / "stead.yml").write_text(IN_PROJECT.replace("role: reader", "role: manager") + more)
    files.site.call("POST", "/network/v2.0/networks", {"network": {"name": "x"}}, "bob")  # it is read again
    people = files.site.people
    people.known_now()
    ned = people.named("ned") or ""
    assert people.named("zoe") is None
    assert not people.roles_in(ned, SYSTEM)
    assert people.roles_in(ned, files.site.projects["files"]) == {"reader"}


def test_a_name_of_files_is_nobody_elses(files: FilesSite) -> None:
    """Whoever may make users could make one of a name that is to come."""
    people, inner = files.site.people, files.site.projects["files"]
    before = people.add_user("kim", PASSWORD)
    people.assign(before, files.site.projects["bobs"], "member")
    token = files.token("kim", files.site.projects["bobs"])
    more = PEOPLE + "  kim: {admin: true}\n"
    files.apply_now(IN_PROJECT.replace("[mia", "[kim, mia") + more)
    assert files.call("GET", "/network/v2.0/networks", token)[0] == 401
    assert not files.token("kim", inner)
    assert people.named("kim") not in (None, before)
    assert people.user(before)["name"] == f"kim {before[:8]}"
    assert not people.roles_in(before, inner)
    assert not people.roles_in(before, SYSTEM)
    files.set_password("kim")
    assert files.token("kim", inner)
    assert files.token("kim", system=True)


def test_a_password_is_given_on_the_command_line(
    files: FilesSite, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(files.folder)
    capsys.readouterr()
    assert main(["user", "set-password", "ned", "--generate"]) == 0
    secret = capsys.readouterr().out.removeprefix("password: ").strip()
    files.site.people.known_now()
    assert files.token("ned", password=secret)
    assert not files.token("ned")
    assert main(["user", "list"]) == 0
    assert "ned  (stead.yml)" in capsys.readouterr().out
    assert main(["user", "delete", "ned"]) == 1
    assert "stead.yml" in capsys.readouterr().err
    assert main(["user", "set-password", "nedd", "--generate"]) == 1
    assert "STEAD-C064" in capsys.readouterr().err


def test_many_users_are_known_quickly(files: FilesSite) -> None:
    people = files.site.people
    for number in range(200):
        people.write({(USER, f"{number:032x}"): {"name": f"user-{number}", "enabled": True, "password": ""}})
    began = time.perf_counter()
    for _ in range(20):
        people.known_now()
    assert time.perf_counter() - began < 2
