"""The network of a lab: namespaces, the switch with its bridges, and the cables of each host.

The bridges live in a namespace of their own, so the machine's firewall and bridge settings do not reach into the lab;
one link leads from the machine to the underlay, which is how ssh gets there. Nothing here knows containers.
"""

from __future__ import annotations

import ipaddress
import json
import os
from collections.abc import Iterable
from pathlib import Path

from stead.lab.codes import NO_NAMESPACE, NO_SUBNET, refuse
from stead.lab.commands import run, try_run
from stead.lab.layout import LabHost, LabLayout, Link

NETNS = Path("/run/netns")
BRIDGE = "underlay"
POOL = ipaddress.IPv4Network("10.201.0.0/16")  # its /24s are tried in turn; the lab file can name another


def free_subnet(taken: Iterable[ipaddress.IPv4Network]) -> ipaddress.IPv4Network:
    """A /24 that neither a lab nor the machine uses. A default route does not count as use."""
    used = [*taken, *routes()]
    free = (one for one in POOL.subnets(new_prefix=24) if not any(one.overlaps(other) for other in used))
    return next(free, None) or refuse(
        NO_SUBNET, f"All of {POOL} is in use on this machine. Name a network in the lab file: `underlay: CIDR`."
    )


def routes() -> list[ipaddress.IPv4Network]:
    destinations = [route["dst"] for route in json.loads(run(["ip", "-json", "-4", "route", "show", "table", "all"]))]
    found = [ipaddress.IPv4Network(dst, strict=False) for dst in destinations if dst != "default"]
    return [network for network in found if network.prefixlen > 0]


def batch(namespace: str, lines: Iterable[str]) -> None:
    """Several `ip` commands in one process. Every word in them is the lab's own choice, never a user's text."""
    run(["ip", "-n", namespace, "-batch", "-"], feed="\n".join(lines) + "\n")


def add_namespace(name: str) -> None:
    path = NETNS / name
    if not is_namespace(path):
        path.unlink(missing_ok=True)  # the machine was restarted: a file stayed where the namespace was mounted
        run(["ip", "netns", "add", name], code=NO_NAMESPACE)
    batch(name, ["link set lo up"])


def is_namespace(path: Path) -> bool:
    """A name is only a namespace while nsfs is mounted on it."""
    return path.exists() and path.stat().st_dev != path.parent.stat().st_dev


def has_namespace(name: str) -> bool:
    return is_namespace(NETNS / name)


def remove_namespace(name: str) -> None:
    """Its links go with it, once the last process in it has ended."""
    if (NETNS / name).exists():
        try_run(["ip", "netns", "delete", name])


def links(namespace: str) -> set[str]:
    return {link["ifname"] for link in json.loads(run(["ip", "-n", namespace, "-json", "link", "show"]))}


def build_switch(layout: LabLayout) -> None:
    """The bridges, the machine's link to the underlay, and the neighbour; each made only if it is not there, since an
    `up` may have ended after any of them."""
    add_namespace(layout.switch)
    there, lines = links(layout.switch), list[str]()
    for bridge in (BRIDGE, *(one.bridge for one in layout.physical)):
        if bridge not in there:
            lines.append(f"link add {bridge} mtu {layout.mtu} type bridge")
        lines.append(f"link set {bridge} up")
    if "machine" not in there:
        try_run(["ip", "link", "delete", layout.machine_link])
        # a process id stands for the namespace it is in: ours, where ssh to the hosts will start
        lines.append(veth(layout, "machine", layout.machine_link, str(os.getpid())))
    batch(layout.switch, [*lines, f"link set machine master {BRIDGE}", "link set machine up"])
    # What a host advertises must not reach the machine's own routes.
    Path(f"/proc/sys/net/ipv6/conf/{layout.machine_link}/disable_ipv6").write_text("1", encoding="utf-8")
    run(["ip", "address", "replace", layout.machine_address, "dev", layout.machine_link])
    run(["ip", "link", "set", layout.machine_link, "up"])
    build_neighbour(layout, there)


def veth(layout: LabLayout, port: str, device: str, namespace: str, mac: str | None = None) -> str:
    """The words that lay a cable from a port of the switch to a device in another namespace."""
    address = f" address {mac}" if mac else ""
    mtu = f"mtu {layout.mtu}"
    return f"link add {port} {mtu} type veth peer name {device} {mtu}{address} netns {namespace}"


def build_neighbour(layout: LabLayout, there: set[str]) -> None:
    """The outside world: it holds the gateway's address in each physical network."""
    add_namespace(layout.neighbour)
    for index, one in enumerate(layout.physical):
        device = f"eth{index}"
        cable = [] if f"n{index}" in there else [veth(layout, f"n{index}", device, layout.neighbour)]
        batch(layout.switch, [*cable, f"link set n{index} master {one.bridge}", f"link set n{index} up"])
        lines = [f"link set {device} up", f"address replace {one.gateway} dev {device}"]
        if one.gateway6:  # nodad: it is the only one to have the address, and a test should not wait for it
            lines.append(f"address replace {one.gateway6} dev {device} nodad")
        batch(layout.neighbour, lines)


def bridge_of(layout: LabLayout, link: Link) -> str:
    return next((one.bridge for one in layout.physical if one.name == link.network), BRIDGE)


def plug(layout: LabLayout, host: LabHost) -> None:
    """A fresh namespace with the host's cables, as after power-on, which carry nothing yet. What the host had
    configured went with the old."""
    unplug(layout, host)
    add_namespace(host.namespace)
    outside, inside = [], []
    for link in host.links:
        outside += [
            veth(layout, link.port, link.device, host.namespace, link.mac),
            f"link set {link.port} master {bridge_of(layout, link)}",
        ]
        inside += [f"link set {link.device} up"]
        if link.address:
            inside += [f"address add {link.address} dev {link.device}"]
    batch(layout.switch, outside)
    batch(host.namespace, inside)


def carry(layout: LabLayout, host: LabHost, cut: frozenset[str]) -> None:
    batch(layout.switch, [f"link set {one.port} {'down' if one.network in cut else 'up'}" for one in host.links])


def unplug(layout: LabLayout, host: LabHost) -> None:
    remove_namespace(host.namespace)
    if has_namespace(layout.switch):
        for link in host.links:  # the namespace may be kept alive by a last process; its ports must go all the same
            try_run(["ip", "-n", layout.switch, "link", "delete", link.port])


def set_link(layout: LabLayout, link: Link, *, up: bool) -> None:
    """Of a host that is off there is no port: the mark that is left says what is to be when it comes."""
    try_run(["ip", "-n", layout.switch, "link", "set", link.port, "up" if up else "down"])


def remove_network(layout: LabLayout) -> None:
    for name in (*(host.namespace for host in layout.hosts), layout.neighbour, layout.switch):
        remove_namespace(name)
    try_run(["ip", "link", "delete", layout.machine_link])
