"""Network links of this host, as `ip` tells of them."""

from __future__ import annotations

from typing import Any, Dict, List, Mapping, Optional, Set

Link = Dict[str, Any]  # as `ip -json -details` has it
Links = Dict[str, Link]  # by name


def kind(link: Optional[Link]) -> str:
    return link.get("linkinfo", {}).get("info_kind", "") if link else ""


def data(link: Optional[Link]) -> Link:
    return link.get("linkinfo", {}).get("info_data", {}) if link else {}


def port(link: Optional[Link]) -> Link:
    """A link's settings as a port of a bridge."""
    return link.get("linkinfo", {}).get("info_slave_data", {}) if link else {}


def ports_of(bridge: str, links: Mapping[str, Link]) -> List[str]:
    return sorted(name for name, link in links.items() if link.get("master") == bridge)


def is_up(link: Optional[Link]) -> bool:
    return "UP" in link.get("flags", ()) if link else False


def addresses(link: Optional[Link]) -> Set[str]:
    """With their lengths. Those that the kernel gives itself, link-local or by a router's word, are left out."""
    found = link.get("addr_info", ()) if link else ()
    ours = (one for one in found if one.get("scope") == "global" and not one.get("dynamic"))
    return {"{0}/{1}".format(one["local"], one["prefixlen"]) for one in ours}
