"""Network links of this host, as `ip` sees them, and the names that Stead's own have.

A name is made from the UUID or MAC of what it belongs to, so that it is the same after a reboot and on every host.
Linux allows 15 characters.
"""

from __future__ import annotations


def _short(prefix, identifier):
    return prefix + identifier.replace("-", "").replace(":", "")[:12].lower()


def bridge_name(uuid):
    return _short("sb", uuid)


def bridge_mac(uuid):
    """Locally administered, as no card's is."""
    digits = uuid.replace("-", "")[:10].lower()
    return ":".join(["06"] + [digits[at : at + 2] for at in range(0, 10, 2)])


def vxlan_name(uuid):
    return _short("sx", uuid)


def vlan_name(uuid):
    return _short("sv", uuid)


def server_name(uuid):
    """The host's end of the cable to the network's DHCP server."""
    return _short("sd", uuid)


def lookout_name(uuid):
    """The host's end of the cable to the place from which it looks at guests of the network."""
    return _short("sw", uuid)


def tap_name(mac):
    return _short("st", mac)


def router_name(mac):
    """The host's end of a cable to a router."""
    return _short("sr", mac)


def namespace_name(kind, uuid):
    return "stead-{0}-{1}".format(kind, uuid)


def kind(link):
    return link.get("linkinfo", {}).get("info_kind", "") if link else ""


def data(link):
    return link.get("linkinfo", {}).get("info_data", {}) if link else {}


def port(link):
    """A link's settings as a port of a bridge."""
    return link.get("linkinfo", {}).get("info_slave_data", {}) if link else {}


def ports_of(bridge, links):
    return sorted(name for name, link in links.items() if link.get("master") == bridge)


def is_up(link):
    return "UP" in link.get("flags", ()) if link else False


def addresses(link):
    """With their lengths. Those that the kernel gives itself, link-local or by a router's word, are left out."""
    found = link.get("addr_info", ()) if link else ()
    ours = (one for one in found if one.get("scope") == "global" and not one.get("dynamic"))
    return {"{0}/{1}".format(one["local"], one["prefixlen"]) for one in ours}
