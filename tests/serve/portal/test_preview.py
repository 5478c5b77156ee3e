"""What a request would do is told by the same plan that does it, and telling it changes nothing."""

from __future__ import annotations

import re
from typing import Any

import pytest
from tests.serve.portal.browsing import PlainBrowser, with_network, with_server
from tests.serve.served import Site

from stead.serve.services import SERVICES

PREVIEW = {"X-Stead-Preview": "1"}


@pytest.fixture(scope="module")
def network(site: Site) -> str:
    return with_network(site, "bob")


def asked_for(site: Site, network: str, **more: Any) -> dict[str, Any]:
    flavors = site.call("GET", "/compute/v2.1/flavors", None, "bob")[2]["flavors"]
    tiny = next(one["id"] for one in flavors if one["name"] == "tiny")
    image = site.call("GET", "/image/v2/images", None, "bob")[2]["images"][0]["id"]
    body = {"name": "w", "flavorRef": tiny, "imageRef": image, "networks": [{"uuid": network}], **more}
    return {"server": body}


def state(site: Site) -> tuple[Any, ...]:
    return (site.cloud.store.documents_serial(), dict(site.cloud.store.identities()))


def test_the_instance_becomes_what_was_told(site: Site, network: str) -> None:
    for number in range(3):
        body = asked_for(site, network, name=f"w{number}")
        before = state(site)
        status, _, answer = site.call("POST", "/compute/v2.1/servers", body, "bob", headers=PREVIEW)
        assert (status, state(site)) == (200, before)
        told = next(one for one in answer["preview"]["resources"] if one["kind"] == "instances")
        made = site.call("POST", "/compute/v2.1/servers", body, "bob")[2]["server"]["id"]
        server = site.call("GET", f"/compute/v2.1/servers/{made}", None, "bob")[2]["server"]
        assert told["addresses"] == [server["addresses"]["app"][0]["addr"]]
        assert (told["name"], "host" in told) == (f"w{number}", False)


def test_the_audit_log_has_what_was_done_and_what_was_refused(site: Site, network: str) -> None:
    body = asked_for(site, network)
    before = site.cloud.store.audited(1)
    assert site.call("POST", "/compute/v2.1/servers", body, "bob", headers=PREVIEW)[0] == 200
    assert site.cloud.store.audited(1) == before
    assert site.call("POST", "/compute/v2.1/servers", body, "ray", headers=PREVIEW)[0] == 403
    assert site.cloud.store.audited(1)[0].status == 403


def test_hosts_and_reasons_are_told_to_operators_only(site: Site, network: str) -> None:
    body = asked_for(site, network)
    text = str(site.call("POST", "/compute/v2.1/servers", body, "bob", headers=PREVIEW)[2])
    assert "compute-1" not in text
    mine = with_network(site, "ada", "adas-net")
    body["server"]["networks"] = [{"uuid": mine}]
    told = site.call("POST", "/compute/v2.1/servers", body, "ada", headers=PREVIEW)[2]["preview"]
    assert next(one for one in told["resources"] if one["kind"] == "instances")["host"] == "compute-1"


def test_a_stop_tells_whom_it_disturbs_and_a_delete_what_is_lost(site: Site, network: str) -> None:
    server = with_server(site, "bob", "runs", network)
    assert site.worker.wait_idle(60)
    path = f"/compute/v2.1/servers/{server}"
    told = site.call("POST", f"{path}/action", {"os-stop": None}, "bob", headers=PREVIEW)[2]["preview"]
    assert [(one["name"], one["disturbs"]) for one in told["steps"]] == [("runs", "reboot")]
    told = site.call("DELETE", path, None, "bob", headers=PREVIEW)[2]["preview"]
    assert any(one["action"] == "destroy" and one["disturbs"] == "data-loss" for one in told["steps"])
    assert told["quota"]["instances"]["then"] == told["quota"]["instances"]["now"] - 1
    assert site.call("GET", path, None, "bob")[0] == 200


def test_no_route_that_is_previewed_changes_anything(site: Site, network: str) -> None:
    """Also with bodies that mean something, and by an admin."""
    server = with_server(site, "bob", "stays", network)
    assert site.worker.wait_idle(60)
    bodies: dict[str, Any] = {
        "/servers": asked_for(site, network),
        "/servers/{id}": {"server": {"name": "other"}},
        "/servers/{id}/action": {"os-stop": None},
        "/metadata": {"metadata": {"a": "b"}},
        "/networks": {"network": {"name": "x"}},
        "/networks/{id}": {"network": {"name": "x"}},
        "/volumes": {"volume": {"size": 1}},
        "/os-keypairs": {"keypair": {"name": "x"}},
        "/os-quota-sets/{target}": {"quota_set": {"instances": 7}},
        "/quotas/{target}": {"quota": {"network": 7}},
        "/security-groups": {"security_group": {"name": "x"}},
        "/routers": {"router": {"name": "x"}},
    }
    before, previewed = state(site), 0
    for service in SERVICES:
        for route in service.routes:
            if route.method == "GET" or route.path.endswith("auth/tokens"):
                continue
            body: Any = next((one for end, one in bodies.items() if route.path.endswith(end)), {})
            path = route.path.replace("{project}", site.projects["bobs"]).replace("{target}", site.projects["bobs"])
            path = re.sub(r"\{[^}]*\}", server if "/servers/" in path else network, path)
            for who in ("bob", "ada"):
                status = site.call(route.method, path, body, who, headers=PREVIEW)[0]
                previewed += status == 200
                assert service.previewed or status == 400, path
    assert state(site) == before
    assert previewed > 12


def test_the_page_tells_it_while_it_is_typed(site: Site, network: str) -> None:
    bob, body = PlainBrowser(site, "bob"), asked_for(site, network)["server"]
    form = {"name": "it's", "flavor": body["flavorRef"], "image": body["imageRef"], "network": network}
    before = state(site)
    text = bob.post("/new/instance/preview", **form).text
    assert state(site) == before
    assert re.search(r"10\.5\.0\.\d+", text)
    assert "openstack server create --flavor" in text
    assert "&#39;it&#39;&#34;&#39;&#34;&#39;s&#39;" in text  # quoted for a shell
    assert "display_name: it" in text
    assert "STEAD-W005" in bob.post("/new/instance/preview", **{**form, "flavor": "none"}).text
    got = bob.post("/new/instance", **form)
    made = got.headers["location"].rpartition("/")[2]
    assert site.call("GET", f"/compute/v2.1/servers/{made}", None, "bob")[2]["server"]["name"] == "it's"


def test_only_its_typed_name_deletes_an_instance(site: Site) -> None:
    bob, server = PlainBrowser(site, "bob"), with_server(site, "bob", "goes")
    assert bob.post(f"/instances/{server}/delete", typed="goe").status == 400
    assert bob.get(f"/instances/{server}").status == 200
    assert bob.post(f"/instances/{server}/delete", typed="goes").status == 303
    assert bob.get(f"/instances/{server}").status == 404


def test_many_are_stopped_by_one_form(site: Site) -> None:
    bob = PlainBrowser(site, "bob")
    some = [with_server(site, "bob", f"many{number}") for number in range(3)]
    assert site.worker.wait_idle(60)
    assert bob.post("/instances/actions", action="os-stop", id=some).status == 303
    assert site.worker.wait_idle(60)
    listed = bob.get("/instances?q=many").text
    assert listed.count('class="pill shutoff"') == 3
    assert bob.post("/instances/actions", action="os-stop", id=some).status == 409


def test_the_list_is_searched_and_ordered(site: Site) -> None:
    bob = PlainBrowser(site, "bob")
    for name in ("zeta-found", "alpha-found"):
        with_server(site, "bob", name)
    names = re.compile(r'<a href="/portal/instances/[^"?]+">([^<]+)</a>')
    assert names.findall(bob.get("/instances?q=FOUND&order=name").text) == ["alpha-found", "zeta-found"]
    assert names.findall(bob.get("/instances?q=found&order=-name").text) == ["zeta-found", "alpha-found"]
    assert names.findall(bob.get("/instances?q=no-such").text) == []


def test_a_page_that_is_up_to_date_is_not_sent_again(site: Site) -> None:
    bob = PlainBrowser(site, "bob")
    assert site.worker.wait_idle(60)
    text = bob.get("/instances", HX_Request="true").text
    stamp = re.findall(r"stamp=([0-9-]+)", text)[0]
    assert bob.get(f"/instances?stamp={stamp}", HX_Request="true").status == 204
    with_server(site, "bob", "newer")
    assert "newer" in bob.get(f"/instances?stamp={stamp}", HX_Request="true").text
