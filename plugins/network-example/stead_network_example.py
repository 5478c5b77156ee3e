# ruff: noqa: INP001 - one file is the whole package
"""The controller's half: flat networks on Open vSwitch bridges that the site's people have made and keep.

Interfaces of instances become ports of the bridge that the inventory names under `stead_physical_networks`. The driver
adds no address service, no filter and no router: those are the physical network's.
"""

from __future__ import annotations

from stead.core.driver import DriverScope, Proven, no, yes
from stead.core.effect import Action, Disruption, Effect
from stead.core.want import Body, Want
from stead.drivers.network import Layout, NetworkDriver, Wants

NOT_FILTERED = (
    "The driver openvswitch filters nothing. Write `port_security: false` on the network, or use another driver."
)
NOT_ROUTED = "The driver openvswitch has no {}: the physical network routes. Use another driver for them."


def realise(layout: Layout) -> Wants:
    """On each host with an interface in it: the bridge of its physical network there."""
    body = Body.of(layout.fields)
    found = {}
    for name in sorted({port["host"] for port in layout.ports if port["host"]}):
        host = layout.hosts.get(name)
        bridge = host.physical_networks.get(layout.fields["physical"], "") if host is not None else ""
        found[name] = Want.of(body, {"bridge": bridge})
    return found or {"": Want.of(body)}


DRIVER = NetworkDriver(
    name="openvswitch",
    help="Open vSwitch bridges that the site has made itself.",
    scope=DriverScope.CLUSTER,
    capabilities={
        "flat": yes(Proven.NOT_HERE),
        **{
            name: no(f"The driver openvswitch makes no networks of type {name}. Use `type: flat`.")
            for name in ("vxlan", "vlan", "geneve", "gre")
        },
        "dhcp": no("The driver openvswitch serves no addresses. Write `dhcp: false` on the subnet."),
        "dhcp_ha": no("The driver openvswitch serves no addresses. Leave `ha` out."),
        "ipv6": yes(Proven.NOT_HERE),
        "security_groups": no(NOT_FILTERED),
        "port_security": no(NOT_FILTERED),
        "routers": no(NOT_ROUTED.format("routers")),
        "routers_wired": no(NOT_ROUTED.format("routers")),
        "routers_out": no(NOT_ROUTED.format("routers")),
        "routers_out_tunnels": no(NOT_ROUTED.format("routers")),
        "routers_ha": no(NOT_ROUTED.format("routers")),
        "uplinks": no(NOT_ROUTED.format("routers")),
        "forwards": no(NOT_ROUTED.format("port forwards")),
        "floating_ips": no(NOT_ROUTED.format("floating IPs")),
        "distributed": no(NOT_ROUTED.format("floating IPs")),
        "load_balancers": no("The driver openvswitch has no load balancers. Use another driver for their networks."),
        "load_balancers_ha": no("The driver openvswitch has no load balancers. Use another driver for their networks."),
        "lookouts": no("The driver openvswitch sees no guest through the network. Wait for `agent`, or drop `wait`."),
    },
    overhead={"flat": 0},
    realise=realise,
    effects={"bridge": Effect(Action.UPDATE, Disruption.NETWORK)},
    field_map={"bridge": "physical"},
    words={"bridge": "bridge of the physical network"},
)
