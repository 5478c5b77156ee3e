"""Routers: a namespace on a network host with a cable into each network, and nftables for what leaves it."""

from __future__ import annotations

import ipaddress
import json
import os

from . import announcing, floating_ip, ledger, links, namespaces, network, running, units
from .places import PASSABLE, ROUTERS

READABLE = 0o644
TABLE = "stead"
LEADS_FOR = 1800  # seconds that guests count on a router that they heard of


def ensure(step, work):
    want = step["want"]
    namespace = namespace_of(want["uuid"])
    inside = namespaces.ensure(namespace, work)
    _kernel(namespace, work)
    floating = floating_ip.of_router(want["uuid"])
    ports, new = _ports(want, floating), {}
    for name, port in ports.items():
        outside = links.router_name(port["mac"])
        port["bridge"] = _bridge(port, work)
        new[name] = namespaces.cable(namespace, inside, outside, name, port, work)
    gone = [name for name in sorted(set(inside) - set(ports)) if name.startswith("n")]
    if gone:
        made = ledger.read("routers", want["uuid"])
        _leave(made["want"] if made else want, namespace, work, gone)
    work.batch("ip", ["link delete {0}".format(name) for name in gone], namespace)
    _routes(want, namespace, work)
    _rules(want, namespace, work)
    _announce(want, namespace, work, new)
    for name, addresses in new.items():
        if addresses:
            text = "announce {0}".format(", ".join(addresses))
            listeners = _members(ports[name]["network_uuid"])
            work.act(text, announcing.tell, namespace, name, ports[name]["mac"], addresses, listeners)
            if ports[name].get("announces"):
                managed = not all(one["slaac"] for one in ports[name]["announces"])
                text = "say that {0} leads on".format(name)
                work.act(text, announcing.lead, namespace, name, ports[name]["mac"], LEADS_FOR, managed)
    for one in floating:
        floating_ip.put(one, work)


def remove(step, work):
    uuid = step["uuid"]
    want = step.get("have") or {"interfaces": {}, "external": {}}
    units.stop(unit_name(uuid), work)
    _leave(want, namespace_of(uuid), work)
    namespaces.remove(namespace_of(uuid), [links.router_name(port["mac"]) for port in _all(want)], work)
    work.remove_tree(os.path.join(ROUTERS, uuid))


def restore(step, work):
    ensure(step, work)


def namespace_of(uuid):
    return links.namespace_name("router", uuid)


def inside_name(mac):
    """Of an interface in the router's namespace."""
    return "n" + mac.replace(":", "").lower()


def unit_name(uuid):
    return "stead-announce-{0}.service".format(uuid)


def _all(want):
    return list(want["interfaces"].values()) + ([want["external"]] if want.get("external") else [])


def _ports(want, floating):
    """Addresses of floating IPs are on the way out too, and are not the router's to take away."""
    others = {one["address"] + "/32" for one in floating}
    return {inside_name(port["mac"]): dict(port, others=others) for port in _all(want)}


def _bridge(port, work):
    if work.check and ledger.read("networks", port["network_uuid"]) is None:
        return ""
    return network.bridge_for(port["network_uuid"])


def _leave(want, namespace, work, names=None):
    """Says to guests that they have no way out here any more, where they were told of one."""
    there = links.table(namespace) if namespace in links.namespaces() else {}
    for port in want["interfaces"].values():
        name = inside_name(port["mac"])
        if port.get("announces") and name in there and (names is None or name in names):
            work.act("say that {0} leaves".format(name), announcing.lead, namespace, name, port["mac"], 0)


def _members(uuid):
    """MACs in a network, as this host knows them."""
    made = ledger.read("networks", uuid)
    return sorted(made["want"].get("forwarding", {})) if made else []


def _kernel(namespace, work):
    settings = {"net.ipv4.ip_forward": "1", "net.ipv6.conf.all.forwarding": "1"}
    if namespace not in links.namespaces():
        return
    inside = ["ip", "netns", "exec", namespace, "sysctl"]
    for name, value in settings.items():
        if running.run(inside + ["-n", name]).strip() != value:
            work.run(inside + ["-qw", "{0}={1}".format(name, value)])


def _routes(want, namespace, work):
    """All that are not the kernel's own are the plan's."""
    wanted = {(_named(one["to"]), one["via"]) for one in want["routes"]}
    for gateway in want.get("external", {}).get("gateways", []) if want.get("external") else []:
        wanted.add(("default" if ":" not in gateway else "default6", gateway))
    has = set()
    for family, default in (("-4", "default"), ("-6", "default6")):
        status, out, _said = running.attempt(["ip", "-netns", namespace, family, "-json", "route", "show"])
        for one in json.loads(out or "[]") if status == 0 else []:
            if "gateway" in one and one.get("protocol") != "ra":
                has.add((default if one["dst"] == "default" else _sized(one["dst"]), one["gateway"]))
    lines = ["route del {0} via {1}".format(_plain(to), via) for to, via in sorted(has - wanted)]
    lines += ["route replace {0} via {1}".format(_plain(to), via) for to, via in sorted(wanted - has)]
    work.batch("ip", lines, namespace)


def _named(to):
    return {"0.0.0.0/0": "default", "::/0": "default6"}.get(to, _sized(to))


def _sized(text):
    return str(ipaddress.ip_network(text))


def _plain(to):
    return {"default": "0.0.0.0/0", "default6": "::/0"}.get(to, to)


def rules(want):
    """The whole table but the members of its maps, which floating IPs put in beside it."""
    out = '"{0}"'.format(inside_name(want["external"]["mac"])) if want.get("external") else None
    lines = ["add table ip {0}".format(TABLE)]
    lines.extend(
        "add map ip {0} {1} {{ type ipv4_addr : ipv4_addr; }}".format(TABLE, name) for name in ("inward", "outward")
    )
    lines.append("add chain ip {0} before {{ type nat hook prerouting priority dstnat; }}".format(TABLE))
    lines.append("add chain ip {0} after {{ type nat hook postrouting priority srcnat; }}".format(TABLE))
    lines += ["flush chain ip {0} {1}".format(TABLE, chain) for chain in ("before", "after")]
    lines.append("add rule ip {0} before dnat to ip daddr map @inward".format(TABLE))
    if out is not None:
        lines.append("add rule ip {0} after oifname {1} snat to ip saddr map @outward".format(TABLE, out))
        hide = "add rule ip {0} after oifname {1} ip saddr {2} masquerade"
        lines += [hide.format(TABLE, out, cidr) for cidr in want["snat"]]
        # Who calls a neighbour by its floating IP must get the answer back through here.
        lines.append("add rule ip {0} after ct status dnat oifname != {1} iifname != {1} masquerade".format(TABLE, out))
    return "\n".join(lines) + "\n"


def _rules(want, namespace, work):
    """In one transaction. What was given last is kept beside, since nft gives it back in other words."""
    folder = os.path.join(ROUTERS, want["uuid"])
    work.directory(folder, PASSABLE)
    path, text = os.path.join(folder, "rules.nft"), rules(want)
    status, _out, _said = running.attempt(["ip", "netns", "exec", namespace, "nft", "list", "table", "ip", TABLE])
    if work.write(path, text, READABLE) or status != 0:
        work.run(["ip", "netns", "exec", namespace, "nft", "-f", "-"], feed=text)


def _announce(want, namespace, work, new):
    """Tells guests by IPv6 router advertisements that the way out is here. Addresses are the network's to give.

    On a cable that is `new` it is not heard before it is started again.
    """
    unit, folder = unit_name(want["uuid"]), os.path.join(ROUTERS, want["uuid"])
    told = [(port, one) for port in want["interfaces"].values() for one in port.get("announces", ())]
    path = os.path.join(folder, "announce.conf")
    if not told:
        units.stop(unit, work)
        work.remove(path)
        return
    lines = ["keep-in-foreground", "port=0", "leasefile-ro", "user=dnsmasq", "enable-ra", "dhcp-ignore=tag:stead"]
    for port, one in told:
        name, net = inside_name(port["mac"]), ipaddress.ip_network(one["cidr"])
        mode = "ra-only" if one["slaac"] else "static"
        lines += ["interface=" + name, "ra-param={0},mtu:{1},30,{2}".format(name, port["mtu"], LEADS_FOR)]
        lines.append("dhcp-range=set:stead,{0},{1},{2}".format(net.network_address, mode, net.prefixlen))
        if one["dns"]:
            lines.append("dhcp-option=option6:dns-server," + ",".join("[{0}]".format(dns) for dns in one["dns"]))
    fresh = any(new.get(inside_name(port["mac"])) for port, _one in told)
    if work.write(path, "\n".join(lines) + "\n", READABLE) or fresh or not units.is_active(unit):
        words = ["/usr/sbin/dnsmasq", "--conf-file=" + path]
        text = "Announcements of Stead router {0}".format(want["uuid"])
        units.start(unit, text, words, work, units.in_namespace(namespace))
