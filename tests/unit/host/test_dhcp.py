"""What dnsmasq is told: nothing that is a value may become an option."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.stead.cloud.plugins.module_utils.host.base.errors import Failed
from ansible_collections.stead.cloud.plugins.module_utils.host.net.linuxbridge import dhcp

SUBNET: dict[str, Any] = {"cidr": "10.0.0.0/24", "server": "10.0.0.2", "gateway": "10.0.0.1", "dns": ["10.0.0.2"]}
SERVICE: dict[str, Any] = {
    "domain": "cloud.internal",
    "upstream": ["192.0.2.1"],
    "hosts": {"52:54:00:00:00:01": {"name": "web", "addresses": ["10.0.0.3"]}},
}
EVIL = ("x\nconf-script=/bin/sh", "x,option:router,10.0.0.9", "x y", "", "x\x00")


def _want(service: dict[str, Any] | None = None, **subnets: Any) -> dict[str, Any]:
    return {"mtu": 1450, "subnets": subnets or {"v4": SUBNET}, "service": SERVICE | (service or {})}


def test_a_network_has_one_line_an_option() -> None:
    text = dhcp.configuration(_want(), "/folder")
    assert "dhcp-range=set:v4,10.0.0.0,static,255.255.255.0,1h\n" in text
    assert "dhcp-option=tag:v4,option:router,10.0.0.1\n" in text
    assert dhcp.leases(_want()) == "52:54:00:00:00:01,10.0.0.3,web\n"


@pytest.mark.parametrize("evil", EVIL)
def test_no_value_becomes_an_option(evil: str) -> None:
    wants = [
        _want(**{evil: SUBNET}),
        _want(v4=SUBNET | {"dns": [evil]}),
        _want(v4=SUBNET | {"routes": [{"to": evil, "via": "10.0.0.9"}]}),
        _want({"domain": evil}),
        _want({"upstream": [evil]}),
    ]
    if evil:
        wants.append(_want(v4=SUBNET | {"gateway": evil}))
    for want in wants:
        with pytest.raises(Failed):
            dhcp.configuration(want, "/folder")
    for host in ({"name": evil, "addresses": ["10.0.0.3"]}, {"name": "web", "addresses": [evil]}):
        want = _want({"hosts": {"52:54:00:00:00:01": host}})
        with pytest.raises(Failed):
            dhcp.leases(want)
        with pytest.raises(Failed):
            dhcp.names(want["service"])
