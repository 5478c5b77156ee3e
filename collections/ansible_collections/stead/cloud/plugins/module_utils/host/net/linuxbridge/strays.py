"""Links that are named as Stead's own, and belong to nothing in the ledger of their host."""

from __future__ import annotations

from typing import Any, Iterable, List, Mapping, Sequence

from . import naming

PREFIXES = ("sb", "sx", "sv", "sd", "sr", "su", "sw")
OF_NETWORKS = (naming.bridge_name, naming.vxlan_name, naming.vlan_name, naming.server_name, naming.uplink_name)


def strays(made: Mapping[str, Sequence[Mapping[str, Any]]], there: Iterable[str]) -> List[str]:
    """`made` has the entries of the ledger by kind."""
    uuids = [entry["uuid"] for kind in ("networks", "routers") for entry in made.get(kind, [])]
    ours = {name(uuid) for uuid in uuids for name in OF_NETWORKS}
    cabled = [entry["want"] for kind in ("routers", "load_balancers") for entry in made.get(kind, [])]
    ours |= {naming.router_name(port["mac"]) for want in cabled for port in _ports(want)}
    return [
        name for name in there if name[:2] in PREFIXES and len(name) == 14 and _is_hex(name[2:]) and name not in ours
    ]


def _ports(want: Mapping[str, Any]) -> List[Mapping[str, Any]]:
    found = want.get("interfaces") or {}
    return [
        one for one in (found.values() if isinstance(found, dict) else found) if isinstance(one, dict) and "mac" in one
    ]


def _is_hex(text: str) -> bool:
    return all(letter in "0123456789abcdef" for letter in text)
