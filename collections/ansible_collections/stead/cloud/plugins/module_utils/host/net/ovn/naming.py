"""Names of what Stead makes in Open vSwitch and OVN, so that it is the same on every host and after a reboot."""

from __future__ import annotations

import uuid
from hashlib import blake2b

BRIDGE = "br-int"  # of the host's guests: OVN's own name for it
TAP = "so"  # before the names of guests' interfaces
GROUPS = "sg_"  # before the names of port groups that are security groups
_PORTS = uuid.UUID("b6a51a0e-6a0f-4a5e-9c55-6d1d7c2f6f10")  # of names: a port is the same on every host


def port_name(network: str, mac: str) -> str:
    """By which the host's switch and OVN know the same interface. libvirt takes nothing but a UUID."""
    return str(uuid.uuid5(_PORTS, network + mac.lower()))


def router_port_name(network: str, mac: str) -> str:
    """Of a router's own end; the port of its network has the name that others have."""
    return "lrp-" + port_name(network, mac)


def localnet_name(network: str) -> str:
    """Of the port by which a switch is in its physical network."""
    return "localnet-" + network


def physical_bridge(physical: str) -> str:
    """Of a host, with the device of a physical network. No link of another driver is called so."""
    return "sp" + _short(physical)[:12]


def tap_name(mac: str) -> str:
    return TAP + mac.replace(":", "").lower()


def server_name(network: str) -> str:
    """The host's end of the place from which its guests in a network are reached."""
    return "sl" + network.replace("-", "")[:12].lower()


def namespace_name(network: str) -> str:
    return "stead-network-{0}".format(network)


def group_name(address: str) -> str:
    """Of a port group. OVN takes letters, digits and underscores."""
    return GROUPS + _short(address)


def filtered_name(network: str) -> str:
    """Of the port group of a network's interfaces that take no packet unless a rule lets it through."""
    return "net_" + network.replace("-", "")


def addresses_name(group: str, other: str, version: int) -> str:
    """Of the addresses of a group, as the rules of one group name them."""
    return "as_{0}_{1}_{2}".format(_short(group), _short(other), version)


def _short(text: str) -> str:
    return blake2b(text.encode(), digest_size=8).hexdigest()
