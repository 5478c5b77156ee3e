"""Network links of this host, as `ip` tells of them."""

from __future__ import annotations


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
