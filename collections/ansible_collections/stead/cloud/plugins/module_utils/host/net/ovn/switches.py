"""What OVN's database has of a network: a switch with its ports, what its DHCP and DNS say, and who is filtered.

A pure translation of the want, but for groups that rules are not known of yet.
"""

from __future__ import annotations

import ipaddress
import json
from typing import Any, Dict, FrozenSet, Iterator, List, Mapping, Optional, Sequence, Tuple

from ...base.step import Want
from . import naming
from .rows import Part, RowLink, WantedRow, links

LEASE = 3600  # seconds; an address is its guest's for as long as the guest is there
SERVER = "server"  # key of the port where guests find the network's own server
ARP = "eth.type == 0x806"
# Questions and answers about who is where, and from routers; of multicast, who listens.
NEIGHBOURS = {
    "from-lport": "icmp6.type == {131, 132, 133, 135, 136, 143}",
    "to-lport": "icmp6.type == {130, 134, 135, 136}",
}
# Around what groups let through, which is between the last two.
DROP, BASE, NEVER = 1000, 1001, 1003
# What only a server or a router says, whatever groups let out.
SERVERS = ("udp.src == 67", "udp.src == 547", "icmp6.type == {134, 137}")
LOCALNET = "localnet"  # key of the port to the physical network
WIRES = ("flat", "vlan")
SWITCH: Part = ("switch", None)
Port = Mapping[str, Any]


def rows(want: Want) -> List[WantedRow]:
    uuid, ports = want["uuid"], want["switch_ports"]
    found = [*_dhcp(want), *_dns(want), *_filtered(want)]
    found += [_port(want, mac, port) for mac, port in sorted(ports.items())]
    found += [_router_port(want, mac) for mac in sorted(want.get("router_ports", ()))]
    keys = sorted([*ports, *want.get("router_ports", ())])
    if want.get("service"):
        found.append(_server(want))
        keys.append(SERVER)
    if want["type"] in WIRES:
        found.append(_localnet(want))
        keys.append(LOCALNET)
    columns = {
        "name": uuid,
        "ports": links("Logical_Switch_Port", keys),
        "dns_records": links("DNS", [one.key for one in found if one.table == "DNS"]),
        "other_config": {"requested-tnl-key": str(want["vni"])} if "vni" in want else {},
    }
    return [*found, WantedRow("Logical_Switch", uuid, columns, SWITCH)]


def _port(want: Want, mac: str, port: Port) -> WantedRow:
    own = " ".join([mac, *port["addresses"]])
    columns = {
        "name": naming.port_name(want["uuid"], mac),
        "addresses": frozenset([own]) if port["filtered"] else frozenset([own, "unknown"]),
        "port_security": _claims(mac, port),
        "dhcpv4_options": frozenset(_options_of(want, port, 4)),
        "dhcpv6_options": frozenset(_options_of(want, port, 6)),
        # No other host gets its packets, whatever it says that it has.
        "options": {"requested-chassis": port["at"]} if port["at"] else {},
    }
    return WantedRow("Logical_Switch_Port", mac, columns, ("switch_ports", mac))


def _router_port(want: Want, mac: str) -> WantedRow:
    """The other end is its router's; it leads nowhere while that has none."""
    options = {"router-port": naming.router_port_name(want["uuid"], mac)}
    if want["type"] in WIRES:
        options["nat-addresses"] = "router"  # outside, floating IPs are announced too
    columns = {
        "name": naming.port_name(want["uuid"], mac),
        "type": "router",
        "addresses": frozenset(["router"]),
        "options": options,
    }
    return WantedRow("Logical_Switch_Port", mac, columns, ("router_ports", mac))


def _localnet(want: Want) -> WantedRow:
    """Each host with the physical network has its own way into it."""
    columns = {
        "name": naming.localnet_name(want["uuid"]),
        "type": "localnet",
        "addresses": frozenset(["unknown"]),
        "options": {"network_name": want["physical"]},
        "tag": frozenset([want["vlan"]]) if "vlan" in want else frozenset(),
    }
    return WantedRow("Logical_Switch_Port", LOCALNET, columns, ("physical", None))


def _claims(mac: str, port: Port) -> FrozenSet[str]:
    """What it may say that it is: its own addresses, and those that it was allowed beside them."""
    if not port["filtered"]:
        return frozenset()
    pairs: Dict[str, List[str]] = {mac: list(port["addresses"])}
    for one in port.get("allowed", ()):
        pairs.setdefault(one.get("mac", mac).lower(), []).append(one["address"])
    return frozenset(" ".join([one, *addresses]) for one, addresses in pairs.items())


def _server(want: Want) -> WantedRow:
    service = want["service"]
    bare = [address.partition("/")[0] for address in service["addresses"]]
    columns = {
        "name": naming.port_name(want["uuid"], service["mac"]),
        "type": "localport",  # each host has its own, and reaches its own guests
        "addresses": frozenset([" ".join([service["mac"], *bare])]),
    }
    return WantedRow("Logical_Switch_Port", SERVER, columns, ("service", "mac"))


def _dhcp(want: Want) -> Iterator[WantedRow]:
    """For each subnet what its guests are told: those whose way out it is, and those that have another."""
    ports = want["switch_ports"].values()
    used = sorted({link.key for port in ports for version in (4, 6) for link in _options_of(want, port, version)})
    for key in used:
        name, _slash, routed = key.partition("/")
        cidr = want["subnets"][name]["cidr"]
        told = _told_six(want, name) if ":" in cidr else _told(want, name, bool(routed))
        columns = {"cidr": cidr, "options": told}
        yield WantedRow("DHCP_Options", key, columns, ("service", "hosts"))


def _options_of(want: Want, port: Port, version: int) -> Iterator[RowLink]:
    """A port has one of each family: of the first subnet that it has an address in, and that is served."""
    for address in port["addresses"]:
        for name, subnet in sorted(want["subnets"].items()):
            net = ipaddress.ip_network(subnet["cidr"])
            if "server" in subnet and net.version == version and ipaddress.ip_address(address) in net:
                yield RowLink("DHCP_Options", name + ("/routed" if port.get("routed") and version == 4 else "/"))
                return


def _told(want: Want, name: str, routed: bool) -> Dict[str, str]:
    subnet, service = want["subnets"][name], want["service"]
    found = {
        "server_id": subnet["server"],
        "server_mac": service["mac"],
        "lease_time": str(LEASE),
        "mtu": str(want["mtu"]),
        "dns_server": _set(_name_servers(want, subnet, 4)),
        "domain_name": json.dumps(service["domain"]),
    }
    if routed and "gateway" in subnet:
        found["router"] = subnet["gateway"]
    routes = [(one["to"], one["via"]) for one in subnet.get("routes", ())]
    if routes:
        # Who heeds these heeds no other router, so the way out is one of them.
        routes += [("0.0.0.0/0", found["router"])] if "router" in found else []
        found["classless_static_route"] = "{" + ", ".join(",".join(pair) for pair in routes) + "}"
    return found


def _told_six(want: Want, name: str) -> Dict[str, str]:
    """Who makes its address itself asks for the rest only. The way out is its router's to tell."""
    subnet, service = want["subnets"][name], want["service"]
    found = {
        "server_id": service["mac"],
        "dns_server": _set(_name_servers(want, subnet, 6)),
        "domain_search": json.dumps(service["domain"]),
    }
    return {**found, "dhcpv6_stateless": "true"} if subnet.get("ipv6") == "slaac" else found


def _name_servers(want: Want, subnet: Mapping[str, Any], version: int) -> Sequence[str]:
    """OVN answers for the names that it knows, whoever is asked; others can answer for the rest."""
    upstream = [one for one in want["service"].get("upstream", ()) if (":" in one) == (version == 6)]
    return upstream or [subnet["server"]]


def _set(texts: Sequence[str]) -> str:
    return texts[0] if len(texts) == 1 else "{" + ", ".join(texts) + "}"


def _dns(want: Want) -> Iterator[WantedRow]:
    service = want.get("service")
    if not service:
        return
    records: Dict[str, str] = {}
    for name, addresses in sorted(_names(service)):
        for known in (name.lower(), "{0}.{1}".format(name, service["domain"]).lower()):
            records.setdefault(known, " ".join(addresses))
    if records:
        yield WantedRow("DNS", "names", {"records": records}, ("service", "names"))


def _names(service: Mapping[str, Any]) -> Iterator[Tuple[str, Sequence[str]]]:
    yield from ((host["name"], host["addresses"]) for host in service.get("hosts", {}).values())
    yield from service.get("names", {}).items()


def _filtered(want: Want) -> Iterator[WantedRow]:
    """Who is filtered gets addresses, asks who has one, and for names; all else a group has to let through."""
    macs = sorted(mac for mac, port in want["switch_ports"].items() if port["filtered"])
    if not macs:
        return
    name = naming.filtered_name(want["uuid"])
    acls = list(_acls(name, want.get("service")))
    yield from acls
    columns = {
        "name": name,
        "ports": links("Logical_Switch_Port", macs),
        "acls": links("ACL", [one.key for one in acls]),
    }
    yield WantedRow("Port_Group", "filtered", columns, SWITCH)


def _acls(group: str, service: Optional[Mapping[str, Any]]) -> Iterator[WantedRow]:
    for direction, side in (("from-lport", "inport"), ("to-lport", "outport")):
        yield _acl(direction, "{0} == @{1}".format(side, group), "drop", DROP)
        yield _acl(direction, "{0} == @{1} && {2}".format(side, group, ARP), "allow", BASE)
        yield _acl(direction, "{0} == @{1} && {2}".format(side, group, NEIGHBOURS[direction]), "allow", BASE)
    for match in SERVERS:
        yield _acl("from-lport", "inport == @{0} && {1}".format(group, match), "drop", NEVER)
    for out in ("ip4 && udp.src == 68 && udp.dst == 67", "ip6 && udp.src == 546 && udp.dst == 547"):
        yield _acl("from-lport", "inport == @{0} && {1}".format(group, out), "allow", BASE)
    bare = [one.partition("/")[0] for one in service["addresses"]] if service else []
    for version in (4, 6):
        addresses = [one for one in bare if (":" in one) == (version == 6)]
        if addresses:
            to = "ip{0}.dst == {1}".format(version, _set(addresses))
            yield _acl("from-lport", "inport == @{0} && {1} && udp.dst == 53".format(group, to), "allow-related", BASE)


def _acl(direction: str, match: str, action: str, priority: int) -> WantedRow:
    columns = {"action": action, "direction": direction, "match": match, "priority": priority}
    return WantedRow("ACL", "{0} {1}".format(direction, match), columns, SWITCH)
