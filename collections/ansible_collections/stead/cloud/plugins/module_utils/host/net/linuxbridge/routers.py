"""Routers: a namespace on a network host with a cable into each network, and nftables for what leaves it."""

from __future__ import annotations

import ipaddress
import os
from typing import Any, Collection, ContextManager, Dict, List, Mapping, Optional, Sequence, Tuple

from ....wire.router import RouterPort
from ...base import units
from ...base.paths import ROUTERS
from ...base.readings import Readings
from ...base.step import Want
from ...base.work import Work
from .. import arp_nd, namespaces
from ..links import Links
from ..takeover import LEADS_FOR
from . import floating_ips, forwards, naming, networks, pairs, router_rules, uplinks

READABLE = 0o644


def ensure(want: Want, work: Work) -> None:
    namespace = namespace_of(want["uuid"])
    floating = floating_ips.of_router(want["uuid"], work)
    made = work.now.entry("routers", want["uuid"])
    if made is not None and "ha" in made["want"] and "ha" not in want:
        remove(made["want"], work)  # what it was on two hosts is of no use to one
    before = made["want"] if made is not None else {}
    inside = namespaces.ensure(namespace, work)
    here = answers(want, work)
    has = want if here else _silent(want)
    with work.part("forwarding"):
        _kernel(namespace, work)
    new = _cables(has, floating if here else (), namespace, inside, work)
    with work.part("rules"):
        router_rules.ensure(want, floating, _folder(want["uuid"]), work)
    _uplink(before, want, namespace, inside, work)
    forwards.cut(before, want, namespace, work)
    given = False
    if "ha" in want:
        with work.part("election"):
            given = pairs.ensure(_pair(want, floating), inside, work)
    _drop(want, namespace, inside, work)
    if not given:
        _routes(has, namespace, work)
    with work.part("announcements"):
        _announce(want, namespace, work, new)
    for name, addresses in new.items():
        if addresses:
            _tell(want, namespace, name, addresses, work)
    for one in floating:
        floating_ips.put_again(one, work, want)


def _uplink(before: Want, want: Want, namespace: str, inside: Links, work: Work) -> None:
    if want.get("uplink"):
        uplinks.ensure(want, namespace, inside, work)
    if before.get("uplink"):
        uplinks.cut(before, want, work)
        if not want.get("uplink"):
            uplinks.remove(before, work)


def answers(want: Want, work: Work) -> bool:
    """Whether the addresses are here now: of a router on two hosts one has them."""
    return "ha" not in want or pairs.answers(namespace_of(want["uuid"]), work.now)


def _silent(want: Want) -> Want:
    """The same router while the other host answers."""
    ports = {key: dict(port, addresses=[]) for key, port in want["interfaces"].items()}
    out = dict(want["external"], addresses=[], gateways=[]) if want.get("external") else {}
    return dict(want, interfaces=ports, external=out, routes=[])


def _pair(want: Want, floating: Sequence[Want]) -> pairs.Pair:
    addresses = [(naming.inside_name(port["mac"]), one) for port in _all(want) for one in port["addresses"]]
    addresses += [
        (naming.inside_name(one["mac"]), one["link_local"] + "/64") for one in _all(want) if "link_local" in one
    ]
    routes = [(one["to"], one["via"], "") for one in want["routes"]]
    if want.get("external"):
        out = naming.inside_name(want["external"]["mac"])
        addresses += [(out, one) for one in sorted(one["address"] + "/32" for one in floating)]
        routes += [("::/0" if ":" in via else "0.0.0.0/0", via, out) for via in want["external"].get("gateways", [])]
    return pairs.Pair(want["uuid"], namespace_of(want["uuid"]), _folder(want["uuid"]), want["ha"], addresses, routes)


def rewrite(want: Want, floating: Sequence[Want], work: Work) -> None:
    """A router on two hosts has these floating IPs from now on, whichever answers."""
    pairs.rewrite(_pair(want, floating), work)


def _folder(uuid: str) -> str:
    return os.path.join(ROUTERS, uuid)


def _cables(want: Want, floating: Sequence[Want], namespace: str, inside: Links, work: Work) -> Dict[str, List[str]]:
    """Gives back the new addresses of each."""
    ports, new = _ports(want, floating, work), {}
    for name, port in ports.items():
        outside = naming.router_name(port["mac"])
        port["bridge"] = networks.bridge_for(port["network_uuid"], work)
        with _part(name, want, work):
            new[name] = namespaces.cable(namespace, inside, outside, name, port, work)
    return new


def _drop(want: Want, namespace: str, inside: Links, work: Work) -> None:
    """Interfaces that it has no more: keepalived must not miss them before it knows."""
    wanted = {naming.inside_name(port["mac"]) for port in _all(want)}
    gone = [name for name in sorted(set(inside) - wanted) if name.startswith("n")]
    if gone:
        made = work.now.entry("routers", want["uuid"])
        with work.part("links"):
            _leave(made["want"] if made else want, namespace, work, gone)
            work.batch("ip", ["link delete {0}".format(name) for name in gone], namespace)


def _part(name: str, want: Want, work: Work) -> ContextManager[None]:
    """Of a want, where an interface of this name inside stands in it."""
    keys = [key for key, port in want["interfaces"].items() if naming.inside_name(port["mac"]) == name]
    return work.part("interfaces", keys[0]) if keys else work.part("external", there={})


def _tell(want: Want, namespace: str, name: str, addresses: Sequence[str], work: Work) -> None:
    port = next(one for one in _all(want) if naming.inside_name(one["mac"]) == name)
    text, listeners = "announce {0}".format(", ".join(addresses)), _members(port["network_uuid"], work)
    with _part(name, want, work):
        work.act(text, arp_nd.tell, namespace, name, port["mac"], addresses, listeners)
        if port.get("announces"):
            managed = not all(one["slaac"] for one in port["announces"])
            text = "say that {0} leads on".format(name)
            source = port.get("link_local", "")
            work.act(text, arp_nd.lead, namespace, name, port["mac"], LEADS_FOR, managed, source)


def remove(have: Want, work: Work) -> None:
    uuid = have["uuid"]
    alone = len(have.get("ha", {}).get("peers", ())) < 2
    if alone:  # who takes over is known by the same address
        _leave(have, namespace_of(uuid), work)
    pairs.remove(uuid, namespace_of(uuid), _folder(uuid), work, alone)
    units.stop(unit_name(uuid), work)
    if have.get("uplink"):
        uplinks.remove(have, work)
    namespaces.remove(namespace_of(uuid), [naming.router_name(port["mac"]) for port in _all(have)], work)
    for network in sorted({port["network_uuid"] for port in _all(have)}):
        networks.again(network, work)
    work.remove_tree(_folder(uuid))


def restore(want: Want, held: bool, work: Work) -> None:
    if not held:
        ensure(want, work)


def is_there(want: Want, now: Readings) -> bool:
    return namespace_of(want["uuid"]) in now.namespaces()


def namespace_of(uuid: str) -> str:
    return naming.namespace_name("router", uuid)


def unit_name(uuid: str) -> str:
    return "stead-announce-{0}.service".format(uuid)


def _all(want: Want) -> List[RouterPort]:
    return list(want.get("interfaces", {}).values()) + ([want["external"]] if want.get("external") else [])


def _ports(want: Want, floating: Sequence[Want], work: Work) -> Dict[str, Dict[str, Any]]:
    """Addresses of floating IPs are on the way out too, and are not the router's to take away; and none of those that
    keepalived has given: missing one, it would give way to the other host.
    """
    others = {one["address"] + "/32" for one in floating}
    quiet = "ha" in want
    made = work.now.entry("routers", want["uuid"]) if quiet else None
    if made is not None and answers(want, work):
        others |= {str(ipaddress.ip_interface(one)) for port in _all(made["want"]) for one in port["addresses"]}
    return {naming.inside_name(port["mac"]): dict(port, others=others, quiet=quiet) for port in _all(want)}


def _leave(want: Want, namespace: str, work: Work, names: Optional[Collection[str]] = None) -> None:
    """Says to guests that they have no way out here any more, where they were told of one."""
    there = work.now.links(namespace) if namespace in work.now.namespaces() else {}
    for port in want.get("interfaces", {}).values():
        name = naming.inside_name(port["mac"])
        if port.get("announces") and name in there and (names is None or name in names):
            source = port.get("link_local", "")
            work.act("say that {0} leaves".format(name), arp_nd.lead, namespace, name, port["mac"], 0, False, source)


def _members(uuid: str, work: Work) -> List[str]:
    """MACs in a network, as this host knows them."""
    made = work.now.entry("networks", uuid)
    return sorted(made["want"].get("forwarding", {})) if made else []


def _kernel(namespace: str, work: Work) -> None:
    if namespace not in work.now.namespaces():
        return
    for name in ("net.ipv4.ip_forward", "net.ipv6.conf.all.forwarding"):
        if work.now.setting("/proc/sys/" + name.replace(".", "/"), namespace) != "1":
            work.run(["ip", "netns", "exec", namespace, "sysctl", "-qw", name + "=1"])


def _routes(want: Want, namespace: str, work: Work) -> None:
    """All that are not the kernel's own are the plan's."""
    gateways = (want.get("external") or {}).get("gateways", [])
    gateways = [*gateways, *([want["uplink"]["gateway"]] if want.get("uplink") else ())]
    out = {("default" if ":" not in gateway else "default6", gateway) for gateway in gateways}
    wanted = out | {(_named(one["to"]), one["via"]) for one in want["routes"]}
    there = work.now.routes(namespace) if namespace in work.now.namespaces() else []
    has = {_route(one) for one in there if "gateway" in one and _is_ours(one)}
    lines = ["route del {0} via {1}".format(_plain(to), via) for to, via in sorted(has - wanted)]
    lines += ["route replace {0} via {1}".format(_plain(to), via) for to, via in sorted(wanted - has)]
    work.batch("ip", lines, namespace)
    if out - has:
        work.differs("external", "gateways", [])
    if (wanted ^ has) - (out - has):
        work.differs("routes", None, [{"to": _plain(to), "via": via} for to, via in sorted(has - out)])


def _is_ours(one: Mapping[str, Any]) -> bool:
    return one.get("protocol") != "ra" and one.get("dev") != pairs.LINK


def _route(one: Mapping[str, Any]) -> Tuple[str, str]:
    if one["dst"] == "default":
        return ("default6" if ":" in one["gateway"] else "default"), one["gateway"]
    return _sized(one["dst"]), one["gateway"]


def _named(to: str) -> str:
    return {"0.0.0.0/0": "default", "::/0": "default6"}.get(to, _sized(to))


def _sized(text: str) -> str:
    return str(ipaddress.ip_network(text))


def _plain(to: str) -> str:
    return {"default": "0.0.0.0/0", "default6": "::/0"}.get(to, to)


def _announce(want: Want, namespace: str, work: Work, new: Mapping[str, Sequence[str]]) -> None:
    """Tells guests by IPv6 router advertisements that the way out is here. Addresses are the network's to give.

    On a cable that is `new` it is not heard before it is started again.
    """
    unit, folder = unit_name(want["uuid"]), _folder(want["uuid"])
    told = [(port, one) for port in want["interfaces"].values() for one in port.get("announces", ())]
    path = os.path.join(folder, "announce.conf")
    if not told:
        units.stop(unit, work)
        work.remove(path)
        return
    lines = ["keep-in-foreground", "port=0", "leasefile-ro", "user=dnsmasq", "enable-ra", "dhcp-ignore=tag:stead"]
    for port, one in told:
        name, net = naming.inside_name(port["mac"]), ipaddress.ip_network(one["cidr"])
        mode = "ra-only" if one["slaac"] else "static"
        lines += ["interface=" + name, "ra-param={0},mtu:{1},30,{2}".format(name, port["mtu"], LEADS_FOR)]
        lines.append("dhcp-range=set:stead,{0},{1},{2}".format(net.network_address, mode, net.prefixlen))
        if one["dns"]:
            lines.append("dhcp-option=option6:dns-server," + ",".join("[{0}]".format(dns) for dns in one["dns"]))
    fresh = any(new.get(naming.inside_name(port["mac"])) for port, _one in told)
    words = ["/usr/sbin/dnsmasq", "--conf-file=" + path]
    if work.write(path, "\n".join(lines) + "\n", READABLE) or fresh or not units.runs(unit, words, work):
        text = "Announcements of Stead router {0}".format(want["uuid"])
        units.start(unit, text, words, work, units.in_namespace(namespace))
