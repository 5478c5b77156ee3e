"""A network on a host of its guests: that their interfaces are in its switch, and a place of the host's own.

The place is a namespace at the address of the network's server, from which the host's guests are reached. OVN gives
every host its own, and lets nothing of it out to others.
"""

from __future__ import annotations

from ...base.step import Want
from ...base.work import Work
from .. import namespaces
from . import naming, vswitch

NO_SWITCH = "NO-CARRIER"  # a flag of what a switch in userspace has left, which ended and began anew


def ensure_place(want: Want, work: Work) -> None:
    uuid, place = want["uuid"], want["place"]
    if not place:
        remove_place(uuid, work)
        return
    namespace, name = naming.namespace_name(uuid), naming.server_name(uuid)
    inside = dict(namespaces.ensure(namespace, work))
    if NO_SWITCH in inside.get(name, {}).get("flags", ()):
        work.run(["ip", "-n", namespace, "link", "delete", name])
        del inside[name]
    if name not in inside:
        _plug(want, work)
        work.run(["ip", "link", "set", name, "netns", namespace])
        inside = {} if work.check else work.now.links(namespace)
    namespaces.settle(namespace, inside.get(name, {}), name, {**place, "mtu": want["mtu"], "quiet": True}, work)


def _plug(want: Want, work: Work) -> None:
    """Made anew: one that has lost its namespace is nowhere. In one call the switch would see no difference."""
    name, mac = naming.server_name(want["uuid"]), want["place"]["mac"]
    vswitch.remove_port(name, work)
    words = ["add-port", naming.BRIDGE, name, "--", "set", "interface", name, "type=internal", 'mac="{0}"'.format(mac)]
    words += ["external-ids:iface-id=" + naming.port_name(want["uuid"], mac), "mtu_request={0}".format(want["mtu"])]
    work.run(["ovs-vsctl", *words])


def remove_place(uuid: str, work: Work) -> None:
    namespace = naming.namespace_name(uuid)
    if namespace in work.now.namespaces():
        vswitch.remove_port(naming.server_name(uuid), work)
        namespaces.remove(namespace, [], work)


def plug_again(uuid: str, work: Work) -> None:
    """Interfaces of guests that run, and are in no switch: somebody took them out."""
    there = work.now.links()
    for made in work.now.entries("instances"):
        nics = made["want"].get("nics", {})
        for mac in [made["want"]["ports"][key]["mac"] for key, nic in nics.items() if nic.get("network_uuid") == uuid]:
            name = naming.tap_name(mac)
            if name in there and vswitch.interface(name, work) is None:
                words = ["add-port", naming.BRIDGE, name, "--", "set", "interface", name]
                work.run(["ovs-vsctl", *words, "external-ids:iface-id=" + naming.port_name(uuid, mac)])
