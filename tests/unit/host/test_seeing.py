# mypy: disable-error-code="no-untyped-call"
"""What is broken on a host is seen there, in words of what was wanted; what is whole is no difference."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from ansible_collections.stead.cloud.plugins.module_utils.host import filters, links
from ansible_collections.stead.cloud.plugins.module_utils.host.seeing import seen

UUID = "11111111-2222-8333-8444-555555555555"
BRIDGE, TUNNEL, CABLE = (name(UUID) for name in (links.bridge_name, links.vxlan_name, links.server_name))
WAY, OUT = "52:54:00:00:00:01", "52:54:00:00:00:02"
NETWORK = {
    "driver": "linuxbridge", "type": "vxlan", "uuid": UUID, "vni": 7, "mtu": 1450, "forwarding": {},
    "peers": {"compute-1": "192.0.2.1"}, "subnets": {}, "service": {"addresses": []},
}  # fmt: skip
FLAT = {"driver": "linuxbridge", "type": "flat", "uuid": UUID, "device": "eth1", "mtu": 1500, "subnets": {}}
ROUTER = {
    "uuid": UUID, "routes": [], "snat": [], "external": {"mac": OUT},
    "interfaces": {"app": {"mac": WAY, "announces": [{"cidr": "2001:db8::/64"}]}},
}  # fmt: skip
GROUP = {
    "name": "acme/security_groups/web",
    "rules": [],
    "sets": {"acme/security_groups/db": ["10.0.0.4", "2001:db8::4"]},
}
SETS = {
    filters.set_name("acme/security_groups/db", 4): ["10.0.0.4"],
    filters.set_name("acme/security_groups/db", 6): ["2001:db8::4"],
}


def link(master: str = BRIDGE, **more: Any) -> dict[str, Any]:
    return {"ifname": "x", "flags": ["UP"], "mtu": 1450, "master": master, "linkinfo": {"info_data": {"id": 7}}, **more}


def whole() -> SimpleNamespace:
    names = (links.router_name(WAY), links.router_name(OUT))
    return SimpleNamespace(
        host="compute-1",
        blind="",
        links={BRIDGE: link(""), TUNNEL: link(), CABLE: link(), "eth1": link(), **{name: link() for name in names}},
        forwarding={},
        units={f"stead-{what}-{UUID}.service": True for what in ("dhcp", "announce")},
        namespaces={f"stead-{what}-{UUID}" for what in ("dhcp", "router")},
        apart={BRIDGE},
        filters={filters.group_name(str(GROUP["name"]))},
        sets=dict(SETS),
    )


WANTS = {
    "networks": (NETWORK, FLAT),
    "routers": (ROUTER,),
    "security_groups": (GROUP,),
    "projects": ({"default_group": GROUP}, {}),
}
Break = Callable[[Any], Any]


def down(name: str) -> Break:
    return lambda look: look.links[name].update(flags=[])


def out(name: str) -> Break:
    return lambda look: look.links[name].pop("master")


@pytest.mark.parametrize("kind", WANTS)
def test_what_is_whole_is_as_it_was_wanted(kind: str) -> None:
    assert [seen(kind, want, whole()) for want in WANTS[kind]] == [{} for _want in WANTS[kind]]


@pytest.mark.parametrize(
    ("kind", "want", "breaks", "expected"),
    [
        ("networks", NETWORK, out(TUNNEL), {"peers": {}}),
        ("networks", NETWORK, down(TUNNEL), {"peers": {}}),
        ("networks", NETWORK, down(BRIDGE), {"peers": {}, "service": None}),
        ("networks", NETWORK, out(CABLE), {"service": None}),
        ("networks", NETWORK, lambda look: look.namespaces.clear(), {"service": None}),
        ("networks", NETWORK, lambda look: look.apart.clear(), {"apart": False}),
        ("networks", NETWORK, lambda look: look.links.pop(BRIDGE), None),
        ("networks", FLAT, out("eth1"), {"device": ""}),
        ("networks", FLAT, lambda look: look.links.pop("eth1"), {"device": ""}),
        ("routers", ROUTER, lambda look: look.namespaces.clear(), None),
        ("routers", ROUTER, lambda look: look.links.pop(links.router_name(WAY)), {"interfaces": {}}),
        ("routers", ROUTER, out(links.router_name(OUT)), {"external": {}}),
        (
            "routers",
            ROUTER,
            lambda look: look.units.clear(),
            {"interfaces": {"app": {"mac": WAY, "announces": []}}},
        ),
        ("security_groups", GROUP, lambda look: look.filters.clear(), None),
        ("security_groups", GROUP, lambda look: look.sets.clear(), {"sets": {"acme/security_groups/db": []}}),
        ("projects", {"default_group": GROUP}, lambda look: look.filters.clear(), {"default_group": None}),
    ],
)
def test_what_is_broken_is_seen(kind: str, want: dict[str, Any], breaks: Break, expected: object) -> None:
    look = whole()
    breaks(look)
    assert seen(kind, want, look) == expected


@pytest.mark.parametrize("kind", WANTS)
def test_what_cannot_be_looked_at_is_not_called_broken(kind: str) -> None:
    look = whole()
    look.apart = look.filters = look.sets = None
    assert [seen(kind, want, look) for want in WANTS[kind]] == [{} for _want in WANTS[kind]]
