"""DHCP and DNS of a network: dnsmasq in a network namespace of its own, as one systemd unit.

It gives out only what was planned, and knows the names of the network's instances. The unit is transient: after a boot
the restore makes it anew from the ledger, so nothing is left behind in /etc.
"""

from __future__ import annotations

import ipaddress
import os
from typing import Dict, List, Sequence, Tuple

from ....wire.network import DhcpHost, ServiceWant, SubnetWant
from ...base import units
from ...base.errors import Failed, FailureCode
from ...base.paths import NETWORKS, PASSABLE
from ...base.step import Want
from ...base.work import Work
from .. import namespaces
from ..words import MEANS_MORE, word_of
from . import naming

NOT_A_WORD = FailureCode("STEAD-E210", "a value is not allowed in dnsmasq's configuration")
INSIDE = "eth0"
LEASE = "1h"
# dnsmasq gives up being root, and reads names and leases again when told to.
READABLE = 0o644
# dnsmasq has no quotes: a comma begins the next value, a line the next option.
word = word_of(r"[A-Za-z0-9._:/-]", Failed(NOT_A_WORD, MEANS_MORE))


def ensure(want: Want, work: Work, bridge: str) -> None:
    uuid, service = want["uuid"], want["service"]
    namespace = namespace_of(uuid)
    inside = namespaces.ensure(namespace, work)
    port = {"bridge": bridge, "mac": service["mac"], "mtu": want["mtu"], "addresses": service["addresses"]}
    # It listens at the addresses, and on the cable, that were there when it began.
    restart = bool(namespaces.cable(namespace, inside, naming.server_name(uuid), INSIDE, port, work))
    _way_out(want, namespace, work)
    folder = os.path.join(NETWORKS, uuid)
    work.directory(folder, PASSABLE)
    before = len(work.done)
    work.write(os.path.join(folder, "dnsmasq.conf"), configuration(want, folder), READABLE)
    restart = restart or len(work.done) > before
    work.write(os.path.join(folder, "leases"), leases(want), READABLE)
    work.write(os.path.join(folder, "names"), names(service), READABLE)
    again = len(work.done) > before
    unit = unit_name(uuid)
    words = ["/usr/sbin/dnsmasq", "--conf-file=" + os.path.join(folder, "dnsmasq.conf")]
    if restart or not units.runs(unit, words, work):
        text = "DHCP and DNS of Stead network {0}".format(uuid)
        units.start(unit, text, words, work, units.in_namespace(namespace))
    elif again:
        work.run(["systemctl", "kill", "--signal=HUP", unit])


def _way_out(want: Want, namespace: str, work: Work) -> None:
    """To the name servers that it asks, through the network's gateways; a server that asks nobody has none."""
    asked = {ipaddress.ip_address(one).version for one in want["service"].get("upstream", [])}
    ways: Dict[int, str] = {}
    for subnet in want["subnets"].values():
        version = ipaddress.ip_network(subnet["cidr"]).version
        if version in asked and "gateway" in subnet and "server" in subnet:
            ways.setdefault(version, subnet["gateway"])
    namespaces.lead_out(namespace, INSIDE, ways.values(), work)


def remove(uuid: str, work: Work) -> None:
    units.stop(unit_name(uuid), work)
    namespaces.remove(namespace_of(uuid), [naming.server_name(uuid)], work)
    work.remove_tree(os.path.join(NETWORKS, uuid))


def namespace_of(uuid: str) -> str:
    return naming.namespace_name("dhcp", uuid)


def unit_name(uuid: str) -> str:
    return "stead-dhcp-{0}.service".format(uuid)


def configuration(want: Want, folder: str) -> str:
    service = want["service"]
    lines = [
        "keep-in-foreground",
        "no-resolv",
        # Only names with a domain are asked for elsewhere, and never whose a private address is.
        "domain-needed",
        "bogus-priv",
        "no-hosts",
        "interface=" + INSIDE,
        "bind-interfaces",
        "user=dnsmasq",
        # Every lease is planned: there is nothing to remember, and nobody else is answered.
        "leasefile-ro",
        "dhcp-authoritative",
        "dhcp-ignore=tag:!known",
        "dhcp-hostsfile=" + os.path.join(folder, "leases"),
        "addn-hosts=" + os.path.join(folder, "names"),
        "domain=" + word(service["domain"]),
        "local=/{0}/".format(word(service["domain"])),
        "dhcp-option=option:mtu,{0}".format(want["mtu"]),
    ]
    lines += ["server=" + word(one) for one in service.get("upstream", [])]
    versions = set()
    for name, subnet in sorted(want["subnets"].items()):
        if "server" in subnet:
            versions.add(ipaddress.ip_network(subnet["cidr"]).version)
            lines += _subnet(word(name), subnet)
    if 6 in versions:
        # Tells guests how they come by addresses; the way out is the router's to tell.
        lines += ["enable-ra", "ra-param={0},60,0".format(INSIDE)]
    return "\n".join(lines) + "\n"


def _subnet(name: str, subnet: SubnetWant) -> List[str]:
    net = ipaddress.ip_network(subnet["cidr"])
    first, dns = net.network_address, [word(one) for one in subnet.get("dns", [])]
    if net.version == 6:
        mode = "ra-stateless" if subnet.get("ipv6") == "slaac" else "static"
        lines = ["dhcp-range=set:{0},{1},{2},{3},{4}".format(name, first, mode, net.prefixlen, LEASE)]
        told = ",".join("[{0}]".format(one) for one in dns)
        return lines + (["dhcp-option=tag:{0},option6:dns-server,{1}".format(name, told)] if dns else [])
    lines = ["dhcp-range=set:{0},{1},static,{2},{3}".format(name, first, net.netmask, LEASE)]
    gateway = word(subnet["gateway"]) if subnet.get("gateway") else ""
    routes = [(word(one["to"]), word(one["via"])) for one in subnet.get("routes", [])]
    # Without a value dnsmasq would name itself as the router.
    lines.append("dhcp-option=tag:{0},option:router{1}".format(name, "," + gateway if gateway else ""))
    lines.append("dhcp-option=tag:{0},option:router".format(_aside(name)))
    if dns:
        lines.append("dhcp-option=tag:{0},option:dns-server,{1}".format(name, ",".join(dns)))
    if routes:
        # Who is told of routes ignores the router, so the default route is one of them.
        ways = routes + ([("0.0.0.0/0", gateway)] if gateway else [])
        lines += [_routes(name, ways), _routes(_aside(name), routes)]
    return lines


def _routes(tag: str, routes: Sequence[Tuple[str, str]]) -> str:
    told = ",".join("{0},{1}".format(to, via) for to, via in routes)
    return "dhcp-option=tag:{0},option:classless-static-route,{1}".format(tag, told)


def _aside(name: str) -> str:
    """Tag of interfaces in a subnet that are not their guest's way out: it has another one, which it is to use.

    dnsmasq lets what is said of a host's tag go before what is said of a range's.
    """
    return "aside-" + name


def leases(want: Want) -> str:
    lines = []
    for mac, port in sorted(want["service"]["hosts"].items()):
        told = ["[{0}]".format(word(one)) if ":" in one else word(one) for one in port["addresses"]]
        if told:
            tags = [] if port.get("routed", True) else ["set:" + _aside(name) for name in _subnets(want, port)]
            lines.append(",".join([word(mac)] + tags + told + [word(port["name"])]))
    return "".join(line + "\n" for line in lines)


def _subnets(want: Want, port: DhcpHost) -> List[str]:
    addresses = [ipaddress.ip_address(one) for one in port["addresses"]]
    nets = ((name, ipaddress.ip_network(subnet["cidr"])) for name, subnet in sorted(want["subnets"].items()))
    return [name for name, net in nets if any(one in net for one in addresses if one.version == net.version == 4)]


def names(service: ServiceWant) -> str:
    """Everybody in the network, and in networks that a router joins with it, by short and by full name."""
    known = [(port["name"], port["addresses"]) for _mac, port in sorted(service["hosts"].items())]
    known += sorted(service.get("names", {}).items())
    text = "{0} {1}.{2} {1}\n"
    return "".join(
        text.format(word(one), word(name), word(service["domain"])) for name, addresses in known for one in addresses
    )
