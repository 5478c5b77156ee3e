"""Networks of OVN: a switch in a database that all hosts follow, and Geneve between them.

Who keeps the database gets a network's whole want, with all of its ports; a host with guests in it gets the place from
which they are reached. Groups are made where the database is. So a guest that moves changes one word of one want.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from stead.core.driver import DriverScope, Proven, no, yes
from stead.core.effect import IN_PLACE
from stead.core.observed import Host
from stead.core.want import Body, Want
from stead.drivers.network import Layout, NetworkDriver, Wants

NAME = "ovn"
OTHER = "Leave `driver` out for such networks."
# Of a port, what its driver is told and others do not ask for.
FIELDS = ("addresses", "allowed", "filtered", "groups", "routed")


def realise(layout: Layout) -> Wants:
    keeper = keeper_of(layout.hosts)
    fields = dict(layout.fields)
    if layout.service is not None:
        fields["service"] = layout.service
    found = dict.fromkeys(sorted({port["host"] for port in layout.ports if port["host"]}), _place(layout))
    wants = {host: Want.of(Body.of({**layout.fields, **place})) for host, place in found.items()}
    if keeper:
        place = found.get(keeper, {})
        wants[keeper] = Want.of(Body.of({**fields, **place, "switch_ports": _ports(layout)}))
    return wants or {"": Want.of(Body.of(fields))}


def _place(layout: Layout) -> dict[str, Any]:
    """At the address of the network's server; of one without, hosts have its guests and no place."""
    if layout.service is None:
        return {"place": {}}
    return {"place": {"addresses": layout.service["addresses"], "mac": layout.service["mac"]}}


def _ports(layout: Layout) -> dict[str, Mapping[str, Any]]:
    return {
        port["mac"]: {"at": port["host"], **{name: port[name] for name in FIELDS if name in port}}
        for port in layout.ports
        if "groups" in port
    }


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
    """Groups are where the database is, as long as they have members."""
    keeper = keeper_of(everyone)
    return [keeper] if keeper and any(hosts) else []


DRIVER = NetworkDriver(
    name=NAME,
    help="OVN: distributed switches, DHCP, DNS and filters from one database, over Geneve.",
    scope=DriverScope.CLUSTER,
    capabilities={
        "vxlan": no("The driver ovn makes no networks of type vxlan. Use `type: geneve`."),
        "flat": no("The driver ovn makes no networks of type flat yet."),
        "vlan": no("The driver ovn makes no networks of type vlan yet."),
        "geneve": yes(Proven.LAB),
        "gre": no("The driver ovn makes no networks of type gre. Use `type: geneve`."),
        "dhcp": yes(Proven.LAB, "IPv4"),
        "dhcp_ha": no("With the driver ovn, each host answers its own instances. Leave `ha` out."),
        "ipv6": no(f"The driver ovn makes no IPv6 subnets yet. {OTHER}"),
        "security_groups": yes(Proven.LAB),
        "port_security": yes(Proven.LAB),
        "routers": no(f"The driver ovn makes no routers yet. {OTHER}"),
        "routers_ha": no(f"The driver ovn makes no routers yet. {OTHER}"),
        "uplinks": no("The driver ovn leads nowhere behind a host's address. Leave `driver` out for such networks."),
        "forwards": no("The driver ovn forwards no ports. Leave `driver` out for such networks."),
        "floating_ips": no(f"The driver ovn makes no floating IPs yet. {OTHER}"),
        "lookouts": no("The driver ovn sees no guest through the network. Wait for `agent`, or drop `wait`."),
    },
    # Outer IPv4, UDP, tunnel header with OVN's option and the inner Ethernet header.
    overhead={"geneve": 58},
    realise=realise,
    unfit=unfit,
    on_hosts=where_kept,
    locates=("switch_ports.*.at",),
    effects={"switch_ports": IN_PLACE, "place": IN_PLACE},
    parts=("apart", "plugs", "switch"),
    field_map={"switch_ports": "", "place": "subnets"},
    words={
        "switch_ports": "ports in it",
        "switch_ports.*": "port of {}",
        "switch_ports.*.at": "host of {}",
        "switch_ports.*.addresses": "addresses of {}",
        "switch_ports.*.allowed": "addresses that {} may use beside its own",
        "switch_ports.*.filtered": "whether {} is filtered",
        "switch_ports.*.groups": "security groups of {}",
        "switch_ports.*.routed": "whether the default route of {} goes through it",
        "place": "where its hosts reach guests",
    },
    required={"geneve": frozenset({f"network:{NAME}"})},
)
