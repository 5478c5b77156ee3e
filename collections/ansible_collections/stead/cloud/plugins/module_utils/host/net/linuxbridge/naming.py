"""Names of what Stead makes on a host, so that it is the same after a reboot and on every host.

A name is made from the UUID or MAC of what it belongs to. Linux allows 15 characters for a link.
"""

from __future__ import annotations


def _short(prefix: str, identifier: str) -> str:
    return prefix + identifier.replace("-", "").replace(":", "")[:12].lower()


def bridge_name(uuid: str) -> str:
    return _short("sb", uuid)


def bridge_mac(uuid: str) -> str:
    """Locally administered, as no card's is."""
    digits = uuid.replace("-", "")[:10].lower()
    return ":".join(["06"] + [digits[at : at + 2] for at in range(0, 10, 2)])


def vxlan_name(uuid: str) -> str:
    return _short("sx", uuid)


def vlan_name(uuid: str) -> str:
    return _short("sv", uuid)


def server_name(uuid: str) -> str:
    """The host's end of the cable to the network's DHCP server."""
    return _short("sd", uuid)


def lookout_name(uuid: str) -> str:
    """The host's end of the cable to the place from which it looks at guests of the network."""
    return _short("sw", uuid)


def tap_name(mac: str) -> str:
    return _short("st", mac)


def router_name(mac: str) -> str:
    """The host's end of a cable to a router."""
    return _short("sr", mac)


def uplink_name(uuid: str) -> str:
    """The host's end of the cable to a router behind its address."""
    return _short("su", uuid)


def inside_name(mac: str) -> str:
    """Of an interface in a router's namespace."""
    return "n" + mac.replace(":", "").lower()


def namespace_name(kind: str, uuid: str) -> str:
    return "stead-{0}-{1}".format(kind, uuid)
