"""Roles of the site's files: what they may, and that they may nothing else."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.serve.served import PASSWORD, SITE, Site, write_site

from stead.cli import main
from stead.cli.common.serving import must_be_ready
from stead.core.diagnostics import Refused
from stead.language.desired.identity import CustomRole, IdentitySettings
from stead.serve.begin import begun
from stead.serve.compute import admin_actions
from stead.serve.edits import Who
from stead.serve.identity import held
from stead.serve.identity.declared import role_key
from stead.serve.identity.scopes import of_domain
from stead.serve.permissions import IN_PROJECT, may_do, word_of
from stead.serve.routes import AccessPolicy
from stead.serve.services import SERVICES, permission_words

ROLES = """
site:
  identity:
    roles:
      operator: {implies: [reader], may: ["compute:servers:os-start", "compute:servers:os-stop"]}
      lead: {implies: [operator], may: ["compute:servers:reboot"]}
      keeper: {may: ["volume:volumes:*", "volume:volumes.detail:get"]}
"""
SOME = "11111111-1111-4111-8111-111111111111"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    found = Site(write_site(tmp_path_factory.mktemp("roles"), SITE + ROLES))
    for name, role in (("olga", "operator"), ("lars", "lead"), ("kurt", "keeper")):
        user = found.people.add_user(name, PASSWORD)
        found.people.assign(user, found.projects["bobs"], role_key(role))
        found.people.change_user(user, default_project_id=found.projects["bobs"])
    yield found
    found.close()


@pytest.fixture(scope="module")
def server(site: Site) -> str:
    network = site.call("POST", "/network/v2.0/networks", {"network": {"name": "app"}}, "bob")[2]["network"]["id"]
    subnet = {"network_id": network, "cidr": "10.3.0.0/24", "ip_version": 4}
    assert site.call("POST", "/network/v2.0/subnets", {"subnet": subnet}, "bob")[0] == 201
    flavor = site.call("GET", "/compute/v2.1/flavors", who="bob")[2]["flavors"]
    flavor = next(one["id"] for one in flavor if one["name"] == "tiny")
    image = site.call("GET", "/image/v2/images", who="bob")[2]["images"][0]["id"]
    body = {"name": "web", "flavorRef": flavor, "imageRef": image, "networks": [{"uuid": network}]}
    made = site.call("POST", "/compute/v2.1/servers", {"server": body}, "bob")
    assert made[0] == 202, made
    assert site.worker.wait_idle(30)
    return str(made[2]["server"]["id"])


def act(site: Site, server: str, who: str, **said: Any) -> int:
    return site.call("POST", f"/compute/v2.1/servers/{server}/action", said, who)[0]


def test_a_role_may_what_it_says_and_what_it_implies(site: Site, server: str) -> None:
    assert site.call("GET", f"/compute/v2.1/servers/{server}", who="olga")[0] == 200
    assert act(site, server, "ray", **{"os-stop": None}) == 403  # a reader
    assert act(site, server, "olga", **{"os-stop": None}) == 202
    assert site.worker.wait_idle(30)
    assert act(site, server, "lars", **{"os-start": None}) == 202
    assert site.worker.wait_idle(30)
    assert act(site, server, "lars", reboot={"type": "SOFT"}) == 202
    roles = site.log_in("lars")[2]["token"]["roles"]
    assert {one["name"] for one in roles} == {"lead", "operator", "reader"}


def test_it_may_nothing_else(site: Site, server: str) -> None:
    assert act(site, server, "olga", reboot={"type": "SOFT"}) == 403
    assert act(site, server, "olga", resize={"flavorRef": "x"}) == 403
    assert act(site, server, "olga", **{"os-start": None, "resize": {"flavorRef": "x"}}) in (400, 403)
    assert act(site, server, "olga", **{"os-resetState": {"state": "error"}}) == 403
    assert act(site, server, "olga", forceDelete=None) == 403
    assert act(site, server, "olga") in (400, 403)
    assert act(site, server, "kurt", **{"os-start": None}) == 403
    assert site.call("DELETE", f"/compute/v2.1/servers/{server}", who="olga")[0] == 403
    assert site.call("GET", "/compute/v2.1/servers", who="kurt")[0] == 403  # it does not even read
    assert site.call("POST", f"/compute/v2.1/servers/{server}/action", raw=b"[]", who="olga")[0] in (400, 403)


def test_a_role_of_one_service(site: Site) -> None:
    path = f"/volume/v3/{site.projects['bobs']}/volumes"
    made = site.call("POST", path, {"volume": {"name": "data", "size": 1}}, "kurt")
    assert made[0] == 202, made
    assert site.call("GET", f"{path}/detail", who="kurt")[0] == 200
    assert site.call("POST", path.replace("volumes", "snapshots"), {"snapshot": {"volume_id": SOME}}, "kurt")[0] == 403
    assert site.call("DELETE", f"{path}/{made[2]['volume']['id']}", who="kurt")[0] == 202


def test_it_holds_in_its_project_only(site: Site, server: str) -> None:
    user = site.people.add_user("olaf", PASSWORD)
    site.people.assign(user, site.projects["eves"], role_key("operator"))
    site.people.change_user(user, default_project_id=site.projects["eves"])
    assert act(site, server, "olaf", **{"os-stop": None}) == 404


def test_no_word_opens_what_only_admins_may() -> None:
    """Walked over the table: with all words there are, a user is no admin."""
    everything = frozenset({f"{service.name}:*" for service in SERVICES} | permission_words())
    routes = [(service, one) for service in SERVICES for one in service.routes]
    assert any(one.policy is AccessPolicy.ADMIN for _, one in routes)
    for service, one in routes:
        body = {"os-start": None} if one.path.endswith("/action") else None
        assert may_do(everything, one, body) == (one.policy in IN_PROJECT), (service.name, one.method, one.path)


def test_every_word_is_of_the_form_that_files_may_have() -> None:
    assert len(permission_words()) > 150
    assert "compute:servers:forceDelete" in permission_words()
    assert permission_words().isdisjoint(f"compute:servers:{one}" for one in admin_actions.NAMES)
    odd = [one for one in permission_words() if not re.fullmatch(r"[a-z]+(:[A-Za-z0-9._-]+)*:[A-Za-z0-9_-]+", one)]
    assert odd == []
    assert word_of("POST", "/compute/v2.1/servers/{id}/os-interface") == "compute:servers.os-interface:create"


def test_a_role_of_the_files_is_changed_there(site: Site) -> None:
    key = role_key("operator")
    listed = site.call("GET", "/identity/v3/roles?name=operator", who="ada")[2]["roles"]
    assert [one["id"] for one in listed] == [key]
    assert site.call("DELETE", f"/identity/v3/roles/{key}", who="ada")[0] == 403
    assert site.call("PATCH", f"/identity/v3/roles/{key}", {"role": {"name": "x"}}, "ada")[0] == 403
    assert site.call("POST", "/identity/v3/roles", {"role": {"name": "operator"}}, "ada")[0] == 409
    member = site.call("GET", "/identity/v3/roles?name=member", who="ada")[2]["roles"][0]["id"]
    implied = f"/identity/v3/roles/{key}/implies/{member}"
    assert site.call("PUT", implied, who="ada")[0] == 403
    assert site.call("GET", implied, who="ada")[0] == 404
    user = site.people.named("ray")
    where = f"/identity/v3/projects/{site.projects['bobs']}/users/{user}/roles/{key}"
    assert site.call("PUT", where, who="ray")[0] == 403  # nobody gives it to oneself
    assert site.call("PUT", where, who="ada")[0] == 204


def test_a_typing_mistake_is_told_before_the_server_starts() -> None:
    role = CustomRole(may=("compute:servers:os-strat",))
    with pytest.raises(Refused, match=r"STEAD-C109 .*Did you mean 'compute:servers:os-start'"):
        must_be_ready(IdentitySettings(roles={"operator": role}))
    must_be_ready(IdentitySettings(roles={"operator": CustomRole(may=("compute:servers:os-start", "volume:*"))}))


def test_a_user_gets_a_role_of_the_files_by_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = str(write_site(tmp_path, SITE + ROLES))
    made = ["--project", "files", "--generate", "-s", folder]
    assert main(["user", "create", "olga", "--role", "operater", *made]) == 1
    assert "Did you mean 'operator'" in capsys.readouterr().err
    assert main(["user", "create", "olga", "--role", "operator", *made]) == 0


def test_a_role_that_leaves_the_files_keeps_nobody_out(tmp_path: Path) -> None:
    site = Site(write_site(tmp_path, SITE + ROLES))
    try:
        user = site.people.named("bob") or ""
        site.people.assign(user, site.projects["bobs"], role_key("operator"))
        made = site.call(
            "POST",
            f"/identity/v3/users/{user}/application_credentials",
            {"application_credential": {"name": "robot"}},
            "bob",
        )
        assert made[0] == 201
        write_site(tmp_path)
        begun(site.cloud, Who("tests", ""), "any")  # the files are read with the next change
        site.people._read_at = -10.0
        answer = site.log_in("bob")
        assert (answer[0], {one["name"] for one in answer[2]["token"]["roles"]}) == (201, {"member", "reader"})
        for path in ("role_assignments", "role_assignments?include_names&effective"):
            assert site.call("GET", f"/identity/v3/{path}", None, "ada")[0] == 200
        assert site.call("GET", f"/identity/v3/users/{user}/application_credentials", None, "bob")[0] == 200
    finally:
        site.close()


def test_only_projects_inherit(own_site: Site) -> None:
    """Not the cloud, and not a token that is for nothing: their domain would be the default one."""
    user = own_site.people.named("eve") or ""
    own_site.people.assign(user, of_domain("default"), "admin", inherited=True)
    unscoped = own_site.call("POST", "/identity/v3/auth/tokens", _asking("unscoped"))
    assert (
        own_site.call("GET", "/identity/v3/users", headers={"X-Auth-Token": unscoped[1]["x-subject-token"]})[0] == 403
    )
    assert own_site.call("POST", "/identity/v3/auth/tokens", _asking({"system": {"all": True}}))[0] == 401
    inside = own_site.call("POST", "/identity/v3/auth/tokens", _asking({"project": {"id": own_site.projects["bobs"]}}))
    assert inside[0] == 201
    own_site.people.change_user(user, default_project_id="f" * 32)
    gone = own_site.log_in("eve")
    assert (gone[0], "project" in gone[2].get("token", {})) == (201, False)


def _asking(scope: Any) -> dict[str, Any]:
    user = {"name": "eve", "domain": {"id": "default"}, "password": PASSWORD}
    return {"auth": {"identity": {"methods": ["password"], "password": {"user": user}}, "scope": scope}}


def test_nobody_but_an_admin_has_all_assignments_looked_at(own_site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    looked = list[object]()

    def below(*some: object) -> list[str]:
        looked.append(some)
        return []

    monkeypatch.setattr(held, "below", below)
    user = own_site.people.named("bob") or ""
    own_site.people.assign(user, of_domain("default"), "reader", inherited=True)
    path = "/identity/v3/role_assignments?effective"
    found = own_site.call("GET", path, None, "eve")[2]["role_assignments"]
    assert {one["user"]["id"] for one in found} == {own_site.people.named("eve")}
    assert looked == []
    assert own_site.call("GET", path, None, "ada")[0] == 200
    assert len(looked) == 1
