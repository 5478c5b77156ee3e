# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""When two routers differ: their interfaces, routes, and what they hide."""

from __future__ import annotations

from typing import Any, List, Mapping

from . import compare as generic


def compare(want: Mapping[str, Any], have: Mapping[str, Any]) -> List[generic.Difference]:
    wanted, there = _compared(want), _compared(have)
    # A network that was renamed is the same network.
    renamed = generic.renamed(wanted["interfaces"], there["interfaces"], "network_uuid")
    there["interfaces"] = {renamed.get(key, key): value for key, value in there["interfaces"].items()}
    return generic.compare(wanted, there)


def _compared(fields: Mapping[str, Any]) -> dict[str, Any]:
    found = dict(fields)
    found["external"] = generic.without(fields.get("external") or {}, "network")
    interfaces = fields.get("interfaces") or {}
    found["interfaces"] = {key: generic.without(one, "network") for key, one in interfaces.items()}
    return found
