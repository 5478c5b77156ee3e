"""Networks, volumes, floating IPs and keys are made and deleted by the same requests as anybody's."""

from __future__ import annotations

import re

import pytest
from tests.serve.portal.browsing import PlainBrowser, with_server
from tests.serve.served import Site

KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJq7R1lCQ8FOUJ8ZR6EaHb9mHkTtTBvIhTUQXvKC0Wmd bob"


@pytest.fixture(scope="module")
def bob(site: Site) -> PlainBrowser:
    return PlainBrowser(site, "bob")


def link(bob: PlainBrowser, path: str, name: str) -> str:
    found = re.findall(rf'<a href="/portal(/[^"]+)">{re.escape(name)}</a>', bob.get(path).text)
    assert len(found) == 1
    return str(found[0])


@pytest.mark.parametrize(
    ("path", "form"),
    [
        ("networks", {"name": "made", "cidr": "10.77.0.0/24"}),
        ("volumes", {"name": "made", "size": "2"}),
        ("keys", {"name": "made", "public_key": KEY}),
    ],
)
def test_it_is_told_made_shown_and_deleted(site: Site, bob: PlainBrowser, path: str, form: dict[str, str]) -> None:
    before = site.cloud.store.documents_serial()
    told = bob.post(f"/new/{path}/preview", **form).text
    assert "openstack " in told
    assert "STEAD-" not in told
    assert site.cloud.store.documents_serial() == before
    assert bob.post(f"/new/{path}", **form).status == 303
    one = link(bob, f"/{path}", "made")
    text = bob.get(one).text
    assert form.get("cidr", form.get("public_key", "2 GiB")) in text
    assert bob.post(f"{one}/delete", typed="other").status == 400
    assert "openstack " in bob.post(f"{one}/preview").text
    assert bob.get(one).status == 200
    assert bob.post(f"{one}/delete", typed="made").status == 303
    assert bob.get(one).status == 404


def test_an_instance_gets_a_floating_ip(site: Site, bob: PlainBrowser) -> None:
    bob.post("/new/networks", name="inner", cidr="10.78.0.0/24")
    inner = link(bob, "/networks", "inner").rpartition("/")[2]
    router = site.call("POST", "/network/v2.0/routers", {"router": {"name": "r"}}, "bob")[2]["router"]["id"]
    networks = site.call("GET", "/network/v2.0/networks", None, "bob")[2]["networks"]
    public = next(one for one in networks if one["router:external"])
    path = f"/network/v2.0/routers/{router}"
    site.call("PUT", path, {"router": {"external_gateway_info": {"network_id": public["id"]}}}, "bob")
    subnet = next(one for one in networks if one["id"] == inner)["subnets"][0]
    assert site.call("PUT", f"{path}/add_router_interface", {"subnet_id": subnet}, "bob")[0] == 200
    with_server(site, "bob", "reached", inner)
    text = bob.get("/new/floating-ips").text
    port = re.findall(r'<option value="([^"]+)">reached 10\.78\.0\.\d+</option>', text)[0]
    form = {"network": public["id"], "port": port}
    told = re.findall(r"203\.0\.113\.\d+", bob.post("/new/floating-ips/preview", **form).text)
    assert bob.post("/new/floating-ips", **form).status == 303
    listed = bob.get("/floating-ips").text
    assert told[0] in listed
    assert "reached" in listed


def test_a_volume_is_attached_and_detached(site: Site, bob: PlainBrowser) -> None:
    server = with_server(site, "bob", "keeper")
    bob.post("/new/volumes", name="moving", size="1")
    assert site.worker.wait_idle(60)
    page = link(bob, "/volumes", "moving")
    form = {"volume": page.rpartition("/")[2], "instance": server}
    assert f'value="{form["volume"]}" selected' in bob.get(f"/new/attachments?volume={form['volume']}").text
    assert "keeper" in bob.post("/new/attachments/preview", **form).text
    assert bob.post("/new/attachments", **form).status == 303
    assert "keeper" in bob.get(page).text
    assert bob.post(f"{page}/detach").status == 303
    assert "keeper" not in bob.get(page).text
    hostile = {**form, "instance": f"{server}/action?x=../../.."}
    assert bob.post("/new/attachments", **hostile).status == 404


def test_a_network_whose_subnet_is_refused_is_not_left_behind(bob: PlainBrowser) -> None:
    assert bob.post("/new/networks", name="halfway", cidr="nonsense").status == 400
    assert "halfway" not in bob.get("/networks").text


def test_what_is_asked_wrongly_is_told_and_kept_in_the_form(bob: PlainBrowser) -> None:
    got = bob.post("/new/volumes", name="kept-name", size="many")
    assert (got.status, 'value="kept-name"' in got.text) == (400, True)


def test_what_others_own_is_not_offered_to_be_deleted(bob: PlainBrowser) -> None:
    shared = link(bob, "/networks", "public")
    assert "/delete" not in bob.get(shared).text
    assert bob.post(f"{shared}/delete", typed="public").status in (403, 404)
