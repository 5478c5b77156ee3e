"""Networks of OVN: a switch in a database that all hosts follow, and Geneve between them.

Who keeps the database gets a network's whole want, with all of its ports; a host with guests in it gets the place from
which they are reached. Groups are made where the database is. So a guest that moves changes one word of one want.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from stead.core.driver import DriverScope, Proven, no, yes
from stead.core.effect import IN_PLACE, Action, Disruption, Effect
from stead.core.observed import Host, HostStatus
from stead.core.want import Body, Want
from stead.drivers.network import Layout, NetworkDriver, Wants

NAME = "ovn"
CHASSIS = frozenset({"compute", "network"})  # roles of hosts that have a switch
GATEWAYS = 5  # of a router at most: each of them watches all others
TAKES_OVER = 3  # one whose only neighbour is gone believes that it is itself cut off
# Of a port, what its driver is told and others do not ask for.
FIELDS = ("addresses", "allowed", "filtered", "groups", "routed")


def realise(layout: Layout) -> Wants:
    keeper = keeper_of(layout.hosts)
    fields = dict(layout.fields)
    if layout.service is not None:
        fields["service"] = layout.service
    own: dict[str, dict[str, Any]] = {host: {"device": device} for host, device in _devices(layout).items()}
    for host in sorted({port["host"] for port in layout.ports if port["host"] and "router" not in port}):
        own.setdefault(host, {}).update(_place(layout))
    body = Body.of(layout.fields)
    wants = {host: Want.of(body, own[host]) for host in sorted(own)}
    if keeper:
        wants[keeper] = Want.of(Body.of({**fields, **_ports(layout)}), own.get(keeper, {}))
    return wants or {"": Want.of(Body.of(fields))}


def _devices(layout: Layout) -> dict[str, str]:
    """Of a physical network, on each host that has it: guests, gateways and floating IPs may come there."""
    physical = layout.fields.get("physical", "")
    prepared = {name: host for name, host in layout.hosts.items() if NAME in host.network_drivers}
    return {
        name: host.physical_networks[physical]
        for name, host in prepared.items()
        if physical in host.physical_networks and host.roles & CHASSIS
    }


def leads_out(chosen: str, physical: str, hosts: Mapping[str, Host]) -> Sequence[str]:
    """The chosen one, and after it the others in a ring: routers of one host go to different ones when it dies.

    Who is drained comes last: it leads out no more, and still tells the others that they are not alone.
    """
    able = sorted(
        name
        for name, host in hosts.items()
        if "network" in host.roles and physical in host.physical_networks and NAME in host.network_drivers
    )
    ring = [*(one for one in able if one > chosen), *(one for one in able if one < chosen)]
    found = [*([chosen] if chosen else ()), *ring]
    found.sort(key=lambda name: name in hosts and hosts[name].state is HostStatus.MAINTENANCE)
    return found[:GATEWAYS]


def _place(layout: Layout) -> dict[str, Any]:
    """At the address of the network's server; of one without, hosts have its guests and no place."""
    if layout.service is None:
        return {"place": {}}
    return {"place": {"addresses": layout.service["addresses"], "mac": layout.service["mac"]}}


def _ports(layout: Layout) -> dict[str, Mapping[str, Any]]:
    """Of guests, and of routers."""
    guests = {
        port["mac"]: {"at": port["host"], **{name: port[name] for name in FIELDS if name in port}}
        for port in layout.ports
        if "groups" in port
    }
    routers = {port["mac"]: port["router"] for port in layout.ports if "router" in port}
    return {"switch_ports": guests, **({"router_ports": routers} if routers else {})}


def keeper_of(hosts: Mapping[str, Host]) -> str:
    """The host that keeps the database. Where hosts name several, `unfit` has refused it."""
    return next(iter(_keepers(hosts)), "")


def _keepers(hosts: Mapping[str, Host]) -> list[str]:
    return sorted({host.network_drivers[NAME] for host in hosts.values() if NAME in host.network_drivers})


def unfit(hosts: Mapping[str, Host]) -> str:
    keepers = _keepers(hosts)
    if len(keepers) == 1 and keepers[0] in hosts:
        return ""
    if not keepers:
        return (
            "No host of the inventory is prepared for it. Write `stead_network_drivers: {ovn: HOST}` for computes, "
            "with the host that keeps its database, and run `stead bootstrap`."
        )
    if len(keepers) > 1:
        return f"Hosts name several that keep its database: {', '.join(keepers)}. Name the same one for all of them."
    return f"{keepers[0]} is to keep its database and is not in the inventory. Name a host that is."


def where_kept(hosts: Sequence[str], everyone: Mapping[str, Host]) -> Sequence[str]:
    """Routers and groups are where the database is, and groups as long as they have members."""
    keeper = keeper_of(everyone)
    return [keeper] if keeper and hosts else []


DRIVER = NetworkDriver(
    name=NAME,
    help="OVN: distributed switches and routers, DHCP, DNS and filters from one database, over Geneve.",
    scope=DriverScope.CLUSTER,
    capabilities={
        "vxlan": no("The driver ovn makes no networks of type vxlan. Use `type: geneve`."),
        "flat": yes(Proven.LAB),
        "vlan": yes(Proven.LAB),
        "geneve": yes(Proven.LAB),
        "gre": no("The driver ovn makes no networks of type gre. Use `type: geneve`."),
        "dhcp": yes(Proven.LAB),
        "dhcp_ha": no("With the driver ovn, each host answers its own instances. Leave `ha` out."),
        "ipv6": yes(Proven.LAB),
        "security_groups": yes(Proven.LAB),
        "port_security": yes(Proven.LAB),
        "routers": yes(Proven.LAB, "on every host of a guest"),
        "routers_wired": no(
            "A router of the driver ovn would be on many hosts of a physical network at once, with one MAC. Join "
            "networks of type geneve, and make the physical one its `external`."
        ),
        "routers_out": yes(Proven.LAB),
        "routers_out_tunnels": no(
            "Routers of the driver ovn lead out by a physical network. Give the external one `type: flat` or `vlan`."
        ),
        "routers_ha": yes(Proven.LAB, "what leads out, with three network hosts"),
        "uplinks": no("The driver ovn leads nowhere behind a host's address. Use an external network."),
        "forwards": no("The driver ovn forwards no ports. Use a floating IP."),
        "floating_ips": yes(Proven.LAB, "IPv4"),
        "distributed": yes(Proven.LAB, "where the host has the external network"),
        "load_balancers": no("The driver ovn has no load balancers. Use a network of another driver."),
        "load_balancers_ha": no("The driver ovn has no load balancers. Use a network of another driver."),
        "lookouts": no("The driver ovn sees no guest through the network. Wait for `agent`, or drop `wait`."),
    },
    # Outer IPv4, UDP, tunnel header with OVN's option and the inner Ethernet header.
    overhead={"geneve": 58, "flat": 0, "vlan": 0},
    realise=realise,
    unfit=unfit,
    on_hosts=where_kept,
    leads_out=leads_out,
    takes_over=TAKES_OVER,
    locates=("switch_ports.*.at",),
    effects={
        "switch_ports": IN_PLACE,
        "router_ports": IN_PLACE,
        "place": IN_PLACE,
        "device": Effect(Action.UPDATE, Disruption.NETWORK),
    },
    parts=("apart", "plugs", "switch"),
    field_map={"switch_ports": "", "router_ports": "", "place": "subnets", "device": "physical"},
    words={
        "switch_ports": "ports in it",
        "switch_ports.*": "port of {}",
        "switch_ports.*.at": "host of {}",
        "switch_ports.*.addresses": "addresses of {}",
        "switch_ports.*.allowed": "addresses that {} may use beside its own",
        "switch_ports.*.filtered": "whether {} is filtered",
        "switch_ports.*.groups": "security groups of {}",
        "switch_ports.*.routed": "whether the default route of {} goes through it",
        "router_ports": "routers in it",
        "router_ports.*": "port of router {}",
        "device": "device of the physical network",
        "place": "where its hosts reach guests",
    },
    required=dict.fromkeys(("geneve", "flat", "vlan"), frozenset({f"network:{NAME}"})),
)
