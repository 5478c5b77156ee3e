"""What strangers, other projects and bad requests must not get. The route table is walked, so that none is left out."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from tests.serve.served import PASSWORD, Site, write_site

from stead.serve.identity.passwords import Lockout
from stead.serve.identity.tokens import Token
from stead.serve.routes import AccessPolicy, ApiRoute
from stead.serve.services import SERVICES

OPERATORS = (AccessPolicy.ADMIN, AccessPolicy.REVIEWER)
ROUTES = [route for service in SERVICES for route in service.routes]
# What a path names, by what stands before it; filled with things of bob's.
BODIES: dict[str, Any] = {
    "/servers/{id}": {"server": {"name": "x"}},
    "/servers/{id}/action": {"os-stop": None},
    "/metadata": {"metadata": {"a": "b"}},
    "/metadata/{key}": {"meta": {"a": "b"}},
    "/os-volume_attachments": {"volumeAttachment": {"volumeId": "x"}},
    "/os-interface": {"interfaceAttachment": {"net_id": "x"}},
    "/networks/{id}": {"network": {"name": "x"}},
    "/subnets/{id}": {"subnet": {"name": "x"}},
    "/subnetpools/{id}": {"subnetpool": {"name": "x"}},
    "/routers/{id}": {"router": {"name": "x"}},
    "_router_interface": {"subnet_id": "x"},
    "/floatingips/{id}": {"floatingip": {"port_id": None}},
    "/port_forwardings": {"port_forwarding": {"external_port": 80}},
    "/port_forwardings/{forwarding}": {"port_forwarding": {"external_port": 80}},
    "security-groups/{id}": {"security_group": {"name": "x"}},
    "/OS-EC2": {"tenant_id": "x"},
    "/credentials/{id}": {"credential": {"blob": "x"}},
    "/ports/{id}": {"port": {"name": "x"}},
    "/tags": {"tags": ["x"]},
    "/images/{id}/members": {"member": "x"},
    "/members/{member}": {"status": "accepted"},
    "/images/{id}": [{"op": "replace", "path": "/name", "value": "x"}],
    "/volumes/{id}": {"volume": {"name": "x"}},
    "/volumes/{id}/action": {"os-extend": {"new_size": 9}},
    "/snapshots/{id}/action": {"os-force_delete": {}},
    "/snapshots/{id}": {"snapshot": {"name": "x"}},
    "/volumes": {"volume": {"size": 1}},
    "/snapshots": {"snapshot": {"volume_id": "x"}},
    "/os-volume-transfer": {"transfer": {"volume_id": "x"}},
    "/accept": {"accept": {"auth_key": "x"}},
    "/password": {"user": {"password": "long enough", "original_password": PASSWORD}},
    "/application_credentials": {"application_credential": {"name": "x"}},
}
# What everybody may see, so that no project's walls are around it.
EVERYBODYS = (
    "/flavors/",
    "/roles/{id}",
    "/regions/{id}",
    "/extensions/{alias}",
    "/schemas/",
    "/types/",
)


@pytest.fixture(scope="module")
def bobs(site: Site) -> Mapping[str, str]:
    """One thing of each kind, and the names by which paths ask for them."""
    made = site.call
    net = made("POST", "/network/v2.0/networks", {"network": {"name": "n"}}, "bob")[2]["network"]["id"]
    subnet = {"subnet": {"network_id": net, "cidr": "10.5.0.0/24"}}
    sub = made("POST", "/network/v2.0/subnets", subnet, "bob")[2]["subnet"]["id"]
    ranges = {"subnetpool": {"prefixes": ["10.6.0.0/16"]}}
    pool = made("POST", "/network/v2.0/subnetpools", ranges, "bob")[2]["subnetpool"]["id"]
    router = made("POST", "/network/v2.0/routers", {"router": {"name": "r"}}, "bob")[2]["router"]["id"]
    port = made("PUT", f"/network/v2.0/routers/{router}/add_router_interface", {"subnet_id": sub}, "bob")[2]["port_id"]
    public = made("GET", "/network/v2.0/networks?name=public", None, "bob")[2]["networks"][0]["id"]
    floating = {"floatingip": {"floating_network_id": public}}
    fip = made("POST", "/network/v2.0/floatingips", floating, "bob")[2]["floatingip"]["id"]
    group = made("GET", "/network/v2.0/security-groups", None, "bob")[2]["security_groups"][0]
    tiny = made("GET", "/compute/v2.1/flavors", None, "bob")[2]["flavors"][1]["id"]
    cirros = made("GET", "/image/v2/images", None, "bob")[2]["images"][0]["id"]
    asked = {"server": {"name": "s", "flavorRef": tiny, "imageRef": cirros, "networks": [{"uuid": net}]}}
    status, _, answer = made("POST", "/compute/v2.1/servers", asked, "bob")
    assert status == 202, answer
    base = f"/volume/v3/{site.projects['bobs']}"
    volume = made("POST", f"{base}/volumes", {"volume": {"size": 1}}, "bob")[2]["volume"]["id"]
    given = made("POST", f"{base}/volumes", {"volume": {"size": 1}}, "bob")[2]["volume"]["id"]
    snapshot = made("POST", f"{base}/snapshots", {"snapshot": {"volume_id": volume}}, "bob")[2]["snapshot"]["id"]
    image = made("POST", "/image/v2/images", {"name": "i", "disk_format": "raw", "container_format": "bare"}, "bob")[2]
    made("POST", "/compute/v2.1/os-keypairs", {"keypair": {"name": "bobs-key"}}, "bob")
    user = site.people.named("bob") or ""
    credential = {"application_credential": {"name": "c"}}
    secret = made("POST", f"/identity/v3/users/{user}/application_credentials", credential, "bob")[2]
    kept = {"credential": {"type": "totp", "blob": "secret"}}
    blob = made("POST", "/identity/v3/credentials", kept, "bob")[2]["credential"]["id"]
    member = made("GET", "/identity/v3/roles?name=member", None, "bob")[2]["roles"][0]["id"]
    trust = {
        "trustor_user_id": user,
        "trustee_user_id": site.people.named("ray"),
        "project_id": site.projects["bobs"],
        "impersonation": True,
        "roles": [{"id": member}],
    }
    trusted = made("POST", "/identity/v3/OS-TRUST/trusts", {"trust": trust}, "bob")[2]["trust"]["id"]
    domain = made("POST", "/identity/v3/domains", {"domain": {"name": "d"}}, "ada")[2]["domain"]["id"]
    stacked = {"stack_name": "bobs-stack", "template": TEMPLATE}
    stack = made("POST", f"/orchestration/v1/{site.projects['bobs']}/stacks", stacked, "bob")[2]["stack"]["id"]
    groups = {"server_group": {"name": "g", "policies": ["affinity"]}}
    apart = made("POST", "/compute/v2.1/os-server-groups", groups, "bob")[2]["server_group"]["id"]
    assert site.worker.wait_idle(30)
    offer = made("POST", f"{base}/os-volume-transfer", {"transfer": {"volume_id": given}}, "bob")[2]["transfer"]["id"]
    server = answer["server"]["id"]
    done = made("GET", f"/compute/v2.1/servers/{server}/os-instance-actions", None, "bob")[2]["instanceActions"]
    return {
        "networks": net, "subnets": sub, "subnetpools": pool, "routers": router, "ports": port, "floatingips": fip,
        "port_forwardings": fip,
        "security-groups": group["id"], "security-group-rules": group["security_group_rules"][0]["id"],
        "servers": server, "volumes": volume, "snapshots": snapshot, "images": image["id"],
        "os-keypairs": "bobs-key", "users": user, "projects": site.projects["bobs"],
        "application_credentials": secret["application_credential"]["id"], "os-volume_attachments": volume,
        "os-security-groups": group["id"], "os-security-group-rules": group["security_group_rules"][0]["id"],
        "credentials": blob, "domains": domain, "trusts": trusted,
        "os-interface": port, "os-quota-sets": site.projects["bobs"], "quotas": site.projects["bobs"],
        "v3": site.projects["bobs"], "v1": site.projects["bobs"], "stacks": "bobs-stack", "bobs-stack": stack,
        "resources": "disk", "os-server-groups": apart, "os-instance-actions": done[0]["request_id"],
        "os-floating-ips": fip, "os-volumes": volume, "os-snapshots": snapshot, "os-networks": net,
        "os-tenant-networks": net, "os-volume-transfer": offer,
    }  # fmt: skip


def test_another_projects_token_finds_nothing_on_any_route(site: Site, bobs: Mapping[str, str]) -> None:
    tried, wrong = 0, []
    for route in ROUTES:
        if "{" not in route.path or any(part in route.path for part in EVERYBODYS):
            continue
        path = filled(route.path, bobs)
        status, _, answer = site.call(route.method, path, body_of(route), "eve")
        tried += 1
        wanted = (403,) if route.policy in OPERATORS else (404,)
        if status not in wanted:
            wrong.append((route.method, route.path, status, answer))
    assert wrong == []
    assert tried > 100


def test_nobody_without_a_token_gets_past_a_route_that_is_not_public(site: Site, bobs: Mapping[str, str]) -> None:
    got = {
        (route.method, route.path): site.call(route.method, filled(route.path, bobs), body_of(route))[0]
        for route in ROUTES
        if route.policy is not AccessPolicy.PUBLIC
    }
    assert {one for one, status in got.items() if status != 401} == set()


def test_a_reader_changes_nothing_on_any_route(site: Site, bobs: Mapping[str, str]) -> None:
    before = site.cloud.store.documents_serial()
    for route in ROUTES:
        if route.method != "GET" and route.policy in (AccessPolicy.MEMBER, *OPERATORS):
            assert site.call(route.method, filled(route.path, bobs), body_of(route), "ray")[0] == 403, route.path
    assert site.cloud.store.documents_serial() == before


def filled(path: str, known: Mapping[str, str]) -> str:
    words: list[str] = []
    for word in path.split("/"):
        if word.startswith("{"):
            before = words[-1] if words else ""
            named = {"{kind}": "networks", "{key}": "tier", "{tag}": "x", "{network}": "n", "{role}": "x"}
            before = "networks" if before == "networks" else before
            words.append(named.get(word) or known.get(before, "x"))
        else:
            words.append(word)
    return "/".join(words)


TEMPLATE: dict[str, Any] = {
    "heat_template_version": "2018-08-31",
    "resources": {"disk": {"type": "OS::Cinder::Volume", "properties": {"size": 1}}},
}
_STACK: dict[str, Any] = {"stack_name": "s", "template": TEMPLATE}
BODIES |= {"/stacks": _STACK, "/stacks/preview": _STACK}


def body_of(route: ApiRoute) -> Any:
    if route.schema is None:
        return None
    path = re.sub(r"^/volume/v3/\{project\}", "", route.path)
    found = [end for end in BODIES if path.endswith(end)]
    return BODIES[max(found, key=len)] if found else {}


def test_tokens_that_are_forged_changed_or_ended_are_none(site: Site) -> None:
    good = site.token("bob")
    user = site.people.named("bob") or ""
    now = time.time()
    ended = site.people.tokens.sealed(Token(user, site.projects["bobs"], False, ("password",), now - 9, now - 1, "x"))
    other = site.people.tokens.sealed(Token(user, site.projects["eves"], False, ("password",), now, now + 9, "y"))
    for text in (good[:-4] + "AAAA", good[4:], "x" * 5000, ended, other, ""):
        assert site.call("GET", "/compute/v2.1/servers", headers={"X-Auth-Token": text})[0] == 401
    assert site.call("GET", "/compute/v2.1/servers", headers={"X-Auth-Token": good})[0] == 200


def test_a_new_password_ends_all_tokens_of_the_old_one(site: Site) -> None:
    user = site.people.add_user("pat", PASSWORD)
    site.people.assign(user, site.projects["bobs"], "member")
    site.people.change_user(user, default_project_id=site.projects["bobs"])
    token = {"X-Auth-Token": site.token("pat")}
    body = {"user": {"password": "another long one", "original_password": PASSWORD}}
    assert site.call("POST", f"/identity/v3/users/{user}/password", body, headers=token)[0] == 204
    assert site.call("GET", "/compute/v2.1/servers", headers=token)[0] == 401
    assert site.log_in("pat")[0] == 401
    assert site.log_in("pat", "another long one")[0] == 201


def test_a_role_that_is_taken_away_counts_no_more(site: Site) -> None:
    user = site.people.add_user("moe", PASSWORD)
    site.people.assign(user, site.projects["bobs"], "member")
    site.people.change_user(user, default_project_id=site.projects["bobs"])
    assert site.call("GET", "/compute/v2.1/servers", who="moe")[0] == 200
    site.people.unassign(user, site.projects["bobs"], "member")
    assert site.call("GET", "/compute/v2.1/servers", who="moe")[0] == 401


def test_who_guesses_is_locked_out(site: Site) -> None:
    site.people.add_user("gus", PASSWORD)
    assert {site.log_in("gus", "guess")[0] for _ in range(5)} == {401}
    assert site.log_in("gus")[0] == 401
    site.people.lockout.passed("gus")
    assert site.log_in("gus")[0] == 201


def test_an_address_that_guesses_at_many_names_is_locked_out(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    addresses = Lockout(attempts=3)
    monkeypatch.setattr(site.people, "addresses", addresses)
    assert {site.log_in(f"nobody-{number}", "guess")[0] for number in range(3)} == {401}
    status, headers, _ = site.log_in("bob")
    assert (status, headers["x-stead-code"]) == (429, "STEAD-W012")
    addresses.passed("127.0.0.1")
    assert site.log_in("bob")[0] == 201


def test_secrets_of_credentials_are_not_guessed_either(site: Site) -> None:
    said = {"methods": ["application_credential"], "application_credential": {"id": "none", "secret": "guess"}}
    answers = [site.call("POST", "/identity/v3/auth/tokens", {"auth": {"identity": said}}) for _ in range(6)]
    assert [one[0] for one in answers] == [401] * 5 + [429]
    assert answers[-1][1]["x-stead-code"] == "STEAD-W012"


def test_a_large_body_is_refused_before_it_is_in_memory(site: Site) -> None:
    status, headers, _ = site.call("POST", "/compute/v2.1/servers", who="bob", raw=b"[" * (2 << 20))
    assert (status, headers["x-stead-code"]) == (413, "STEAD-W007")


def test_a_deep_body_is_no_traceback(site: Site) -> None:
    assert site.call("POST", "/compute/v2.1/servers", who="bob", raw=b"[" * 500_000)[0] == 400


@pytest.mark.parametrize("text", ["a\nb", "a\x00b", "\u2028" * 300, "x" * 256, "   "])
def test_names_that_would_end_a_line_or_have_no_end_are_refused(site: Site, bobs: Mapping[str, str], text: str) -> None:
    for path, body in (
        (f"/compute/v2.1/servers/{bobs['servers']}", {"server": {"name": text}}),
        (f"/compute/v2.1/servers/{bobs['servers']}/metadata/{'k'}", {"meta": {"k": text}}),
    ):
        status, _, _ = site.call("PUT", path, body, "bob")
        assert status == 400 or (text.strip() == "" and "meta" in body), (path, text)


@pytest.mark.parametrize(
    "text", ["{{ 7 * 7 }}", "{% for a in b %}", "</domain>", "; rm -rf /", "$(id)", "`id`", "\"'", "🦊"]
)
def test_what_means_something_elsewhere_is_text_here(site: Site, bobs: Mapping[str, str], text: str) -> None:
    path = f"/compute/v2.1/servers/{bobs['servers']}"
    body = {"server": {"name": text, "description": text}}
    assert site.call("PUT", path, body, "bob")[0] == 200
    assert site.call("GET", path, None, "bob")[2]["server"]["name"] == text


def test_a_fault_of_our_own_tells_nothing_of_the_inside(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken() -> None:
        raise RuntimeError("secret of the inside")

    token = site.token("bob")
    monkeypatch.setattr(site.people, "known", broken)
    status, headers, answer = site.call("GET", "/compute/v2.1/servers", headers={"X-Auth-Token": token})
    assert (status, headers["x-stead-code"]) == (500, "STEAD-W011")
    assert "secret" not in str(answer)


@pytest.mark.parametrize("name", [b'"a\\ud800"', b'"a\xed\xa0\x80"'])
def test_half_a_character_is_refused_and_not_kept(site: Site, name: bytes) -> None:
    raw = b'{"network": {"name": %s}}' % name
    assert site.call("POST", "/network/v2.0/networks", None, "bob", raw=raw)[0] == 400
    assert site.call("GET", "/network/v2.0/networks", None, "bob")[0] == 200


def test_what_changes_something_and_what_is_refused_is_audited(site: Site) -> None:
    site.call("POST", "/network/v2.0/networks", {"network": {"name": "audited"}}, "bob")
    site.call("GET", "/identity/v3/users", None, "eve")
    entries = {(one.who, one.what, one.status) for one in site.cloud.store.audited(10)}
    assert ("bob", "POST /network/v2.0/networks", 201) in entries
    assert ("eve", "GET /identity/v3/users", 403) in entries
    assert PASSWORD not in str(site.cloud.store.audited(1000))


def test_mistakes_in_the_sites_files_stop_writes_and_no_reads(tmp_path: Path) -> None:
    site = Site(write_site(tmp_path))
    try:
        file = tmp_path / "stead.yml"
        good = file.read_text(encoding="utf-8")
        assert site.call("GET", "/compute/v2.1/servers", who="bob")[0] == 200
        file.write_text(f"{good}\nnetworkz: {{}}\n", encoding="utf-8")
        status, headers, answer = site.call("POST", "/network/v2.0/networks", {"network": {}}, "bob")
        assert (status, headers["x-stead-code"]) == (503, "STEAD-W010")
        assert "networkz" not in str(answer)
        assert site.call("GET", "/network/v2.0/networks", who="bob")[0] == 200
        file.write_text(good, encoding="utf-8")
        assert site.call("POST", "/network/v2.0/networks", {"network": {}}, "bob")[0] == 201
    finally:
        site.close()
