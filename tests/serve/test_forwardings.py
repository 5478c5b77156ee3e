"""Port forwardings of floating IPs, where clients say less than all of it, or what cannot be."""

from __future__ import annotations

from typing import Any

import pytest
from tests.serve.served import Site

N = "/network/v2.0"


@pytest.fixture(scope="module")
def made(site: Site) -> dict[str, Any]:
    def post(what: str, one: str, **said: Any) -> Any:
        status, _, answer = site.call("POST", f"{N}/{what}", {one: said}, "bob")
        assert status == 201, answer
        return answer[one]

    public = site.call("GET", f"{N}/networks?name=public", None, "bob")[2]["networks"][0]["id"]
    net = post("networks", "network", name="n")["id"]
    sub = post("subnets", "subnet", network_id=net, cidr="10.5.0.0/24", ip_version=4)["id"]
    router = post("routers", "router", name="r", external_gateway_info={"network_id": public})["id"]
    assert site.call("PUT", f"{N}/routers/{router}/add_router_interface", {"subnet_id": sub}, "bob")[0] == 200
    flavor = site.call("GET", "/compute/v2.1/flavors", None, "bob")[2]["flavors"][1]["id"]
    image = site.call("GET", "/image/v2/images", None, "bob")[2]["images"][0]["id"]
    servers, ports = [], []
    for name in ("one", "two"):
        said = {"name": name, "flavorRef": flavor, "imageRef": image, "networks": [{"uuid": net}]}
        answer = site.call("POST", "/compute/v2.1/servers", {"server": said}, "bob")[2]
        servers.append(answer["server"]["id"])
        found = site.call("GET", f"{N}/ports?device_id={servers[-1]}", None, "bob")[2]["ports"]
        ports.append(found[0])
    fip = post("floatingips", "floatingip", floating_network_id=public)["id"]
    return {"fip": fip, "ports": ports, "servers": servers}


def forward(site: Site, made: dict[str, Any], **said: Any) -> tuple[int, Any]:
    path = f"{N}/floatingips/{made['fip']}/port_forwardings"
    status, _, answer = site.call("POST", path, {"port_forwarding": said}, "bob")
    return status, answer


def test_another_port_alone_takes_its_address_with_it(site: Site, made: dict[str, Any]) -> None:
    one, two = made["ports"]
    said = {"internal_port_id": one["id"], "internal_port": 22, "external_port": 2222, "protocol": "tcp"}
    status, answer = forward(site, made, **said)
    assert status == 201, answer
    path = f"{N}/floatingips/{made['fip']}/port_forwardings/{answer['port_forwarding']['id']}"
    changed = {"port_forwarding": {"internal_port_id": two["id"]}}
    status, _, answer = site.call("PUT", path, changed, "bob")
    assert status == 200, answer
    assert answer["port_forwarding"]["internal_ip_address"] == two["fixed_ips"][0]["ip_address"]
    wrong = {"port_forwarding": {"internal_ip_address": one["fixed_ips"][0]["ip_address"]}}
    assert site.call("PUT", path, wrong, "bob")[0] == 400
    assert site.call("PUT", path, changed, "eve")[0] == 404


def test_a_server_that_goes_takes_its_forwardings_along(site: Site, made: dict[str, Any]) -> None:
    one, _ = made["ports"]
    said = {"internal_port_id": one["id"], "internal_port": 80, "external_port": 8080, "protocol": "tcp"}
    assert forward(site, made, **said)[0] == 201
    assert site.call("DELETE", f"/compute/v2.1/servers/{made['servers'][0]}", None, "bob")[0] == 204
    path = f"{N}/floatingips/{made['fip']}/port_forwardings"
    found = site.call("GET", path, None, "bob")[2]["port_forwardings"]
    assert [each["external_port"] for each in found] == [2222]
