"""Load balancers: a namespace on a network host with a cable into a network, and HAProxy in it.

Of one on two hosts, both run HAProxy and check who answers; keepalived gives the address that clients know to one of
them. Nothing is led through it: what it reaches is what anybody in the network reaches.
"""

from __future__ import annotations

from typing import Any, Dict, List, Tuple

from ....wire.load_balancer import BalancerPort
from ...base import commands, units
from ...base.readings import Readings
from ...base.step import Want
from ...base.work import Work
from .. import arp_nd, haproxy, namespaces
from ..links import Links
from . import naming, networks, pairs

LEADS_NOWHERE = ("net.ipv4.ip_forward", "net.ipv6.conf.all.forwarding")


def ensure(want: Want, work: Work) -> None:
    uuid, namespace = want["uuid"], namespace_of(want["uuid"])
    made = work.now.entry("load_balancers", uuid)
    if made is not None and ("ha" in made["want"]) != ("ha" in want):
        remove(made["want"], work)  # what it was on two hosts is of no use to one
    new = namespace not in work.now.namespaces()
    if new:
        _end_what_lost_it(uuid, work)
    inside = namespaces.ensure(namespace, work)
    _kernel(namespace, work)
    _cable(want, namespace, inside, work)
    if "ha" in want:
        with work.part("election"):
            pairs.ensure(_pair(want), inside, work)
    with work.part("way_out"):
        if _settled(want):
            namespaces.lead_out(namespace, _inside(want)[0], want["gateways"], work)
    with work.part("server"):
        haproxy.ensure(want, namespace, new, work)


def _end_what_lost_it(uuid: str, work: Work) -> None:
    """What still runs is in a namespace that has no name any more, and keeps a link there of which there can be one."""
    for unit in (haproxy.unit_name(uuid), pairs.unit_name(uuid)):
        if units.is_loaded(unit):
            work.act("delete {0} of {1}".format(pairs.LINK, unit), _delete_link, unit)
            units.stop(unit, work)


def _delete_link(unit: str) -> None:
    pid = commands.run(["systemctl", "show", "--property=MainPID", "--value", unit]).strip()
    if pid not in ("", "0"):
        commands.attempt(["nsenter", "--net=/proc/{0}/ns/net".format(pid), "ip", "link", "delete", pairs.LINK])


def remove(have: Want, work: Work) -> None:
    uuid, namespace = have["uuid"], namespace_of(have["uuid"])
    ports = list(have.get("interfaces", {}).values())
    pairs.remove(uuid, namespace, haproxy.folder_of(uuid), work)
    haproxy.remove(uuid, work)
    namespaces.remove(namespace, [naming.router_name(port["mac"]) for port in ports], work)
    for port in ports:
        networks.again(port["network_uuid"], work)


def restore(want: Want, held: bool, work: Work) -> None:
    if not held:
        ensure(want, work)


def is_there(want: Want, now: Readings) -> bool:
    return namespace_of(want["uuid"]) in now.namespaces()


def namespace_of(uuid: str) -> str:
    return naming.namespace_name("lb", uuid)


def _inside(want: Want) -> Tuple[str, BalancerPort]:
    port: BalancerPort = want["interfaces"]["inside"]
    return naming.inside_name(port["mac"]), port


def _settled(want: Want) -> bool:
    """Whether it has an address there whoever answers. A full network had none for its two hosts."""
    return "ha" not in want or bool(_inside(want)[1]["own"])


def _pair(want: Want) -> pairs.Pair:
    name, port = _inside(want)
    routes = [] if _settled(want) else [("::/0" if ":" in via else "0.0.0.0/0", via, name) for via in want["gateways"]]
    addresses = [(name, one) for one in port["addresses"]]
    folder = haproxy.folder_of(want["uuid"])
    return pairs.Pair(want["uuid"], namespace_of(want["uuid"]), folder, want["ha"], addresses, routes)


def _cable(want: Want, namespace: str, inside: Links, work: Work) -> None:
    name, port = _inside(want)
    with work.part("interfaces", "inside"):
        told = namespaces.cable(namespace, inside, naming.router_name(port["mac"]), name, _port(want, work), work)
        if told and "ha" not in want:
            work.act(
                "announce {0}".format(", ".join(told)),
                arp_nd.tell,
                namespace,
                name,
                port["mac"],
                told,
                _near(port, work),
            )
        gone = [one for one in sorted(inside) if one.startswith("n") and one != name]
        work.batch("ip", ["link delete {0}".format(one) for one in gone], namespace)


def _port(want: Want, work: Work) -> Dict[str, Any]:
    """On two hosts, what clients know is keepalived's to give and to take, also what it had before."""
    _name, port = _inside(want)
    found = dict(port, bridge=networks.bridge_for(port["network_uuid"], work), quiet=True)
    if "ha" not in want:
        return found
    made = work.now.entry("load_balancers", want["uuid"])
    before = made["want"]["interfaces"]["inside"]["addresses"] if made is not None else []
    return dict(found, addresses=port["own"], others={*port["addresses"], *before})


def _near(port: BalancerPort, work: Work) -> List[str]:
    """MACs in its network, as this host knows them."""
    made = work.now.entry("networks", port["network_uuid"])
    return sorted(made["want"].get("forwarding", {})) if made else []


def _kernel(namespace: str, work: Work) -> None:
    """It is nobody's way to anywhere. A namespace begins with the settings of its host, which may forward."""
    if namespace not in work.now.namespaces():
        return
    for name in LEADS_NOWHERE:
        if work.now.setting("/proc/sys/" + name.replace(".", "/"), namespace) != "0":
            work.run(["ip", "netns", "exec", namespace, "sysctl", "-qw", name + "=0"])
