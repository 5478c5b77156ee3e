"""Networks of Linux's own means: bridges and VXLAN, dnsmasq, nftables, and libvirt's filters.

Nothing is learned on the way: each host is told which MAC is behind which host, and answers ARP and neighbour discovery
by itself. So each gets the whole list of ports. It is made once and shared.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from stead.core.driver import DriverScope, Proven, no, yes
from stead.core.effect import IN_PLACE, Action, Disruption, Effect
from stead.core.observed import Host
from stead.core.want import Body, Want
from stead.drivers.network import Layout, NetworkDriver, Wants

TUNNELS = frozenset({"vxlan"})


def realise(layout: Layout) -> Wants:
    fields = layout.fields
    if fields["type"] in TUNNELS:
        fields = {**fields, **_forwarding(layout)}
    plain = Body.of(fields)
    found = _on(plain, sorted({port["host"] for port in layout.ports if port["host"]}), layout)
    for host, service in _services(layout).items():
        found |= _on(Body.of({**fields, "service": service}), [host], layout)
    # What is not on a host yet is for the record.
    return found or {"": Want.of(plain)}


def _services(layout: Layout) -> Mapping[str, Mapping[str, Any]]:
    """By the host that has it."""
    first = {layout.host: layout.service} if layout.service is not None and layout.host else {}
    return {**first, **layout.second}


def _forwarding(layout: Layout) -> dict[str, Mapping[str, Any]]:
    """Which MAC is behind which host, and where that host is."""
    entries = {
        port["mac"]: {"addresses": port["addresses"], "at": port["host"]} for port in layout.ports if port["host"]
    }
    for host, service in _services(layout).items():
        bare = [address.partition("/")[0] for address in service["addresses"]]
        entries[service["mac"]] = {"addresses": bare, "at": host}
    hosts = {entry["at"] for entry in entries.values()}
    peers = {host: layout.hosts[host].underlay for host in hosts if host in layout.hosts}
    return {"forwarding": entries, "peers": peers}


def _on(body: Body, hosts: Sequence[str], layout: Layout) -> dict[str, Want]:
    """One want for all hosts; of a physical network one for each name of its device."""
    physical = layout.fields.get("physical")
    if physical is None:
        return dict.fromkeys(hosts, Want.of(body))
    wants: dict[str, Want] = {}
    found = {}
    for host in hosts:
        device = _device(physical, layout.hosts.get(host))
        if device not in wants:
            wants[device] = Want.of(body, {"device": device})
        found[host] = wants[device]
    return found


def _device(physical: str, host: Host | None) -> str:
    return host.physical_networks.get(physical, "") if host is not None else ""


DRIVER = NetworkDriver(
    name="linuxbridge",
    help="Linux bridges and VXLAN on each host; dnsmasq, nftables and libvirt's filters.",
    scope=DriverScope.HOST,
    capabilities={
        "vxlan": yes(Proven.LAB),
        "flat": yes(Proven.LAB),
        "vlan": yes(Proven.NOT_HERE, "where the host's kernel has 802.1Q"),
        "geneve": no("The driver linuxbridge makes no networks of type geneve. Use `type: vxlan`."),
        "gre": no("The driver linuxbridge makes no networks of type gre. Use `type: vxlan`."),
        "dhcp": yes(Proven.LAB),
        "dhcp_ha": yes(Proven.LAB),
        "ipv6": yes(Proven.LAB),
        "security_groups": yes(Proven.LAB),
        "port_security": yes(Proven.LAB),
        "routers": yes(Proven.LAB),
        "routers_wired": yes(Proven.LAB),
        "routers_out": yes(Proven.LAB),
        "routers_out_tunnels": yes(Proven.LAB),
        "routers_ha": yes(Proven.LAB),
        "uplinks": yes(Proven.LAB, "IPv4"),
        "forwards": yes(Proven.LAB, "IPv4"),
        "floating_ips": yes(Proven.LAB, "IPv4"),
        "distributed": no("Floating IPs of the driver linuxbridge are on their router's host."),
        "load_balancers": yes(Proven.LAB),
        "load_balancers_ha": yes(Proven.LAB),
        "lookouts": yes(Proven.LAB),
    },
    # Outer IPv4, UDP, tunnel header and the inner Ethernet header.
    overhead={"vxlan": 50, "vlan": 0, "flat": 0},
    realise=realise,
    locates=("forwarding", "forwarding.*", "peers", "peers.*"),
    effects={"forwarding": IN_PLACE, "peers": IN_PLACE, "device": Effect(Action.UPDATE, Disruption.NETWORK)},
    parts=("apart", "bridge", "ports", "tunnel"),
    field_map={"device": "physical", "forwarding": "", "peers": ""},
    words={
        "device": "device of the physical network",
        "forwarding": "ports in it",
        "forwarding.*": "port of {}",
        "forwarding.*.at": "host of {}",
        "forwarding.*.addresses": "addresses of {}",
        "peers": "hosts in it",
        "peers.*": "address of host {}",
    },
    kernel={"compute": ("bridge", "vxlan", "nftables"), "network": ("bridge", "vxlan", "veth", "nftables")},
    # Told by those whose kernel was asked and has none.
    forbidden={"vlan": frozenset({"without:vlan"})},
)
