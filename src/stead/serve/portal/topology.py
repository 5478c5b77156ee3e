"""How a project's networks, routers and instances are joined, as a drawing: where everything is, decided here.

A network is a line across. What is on it hangs below; what joins several has a lead to each.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from starlette.responses import HTMLResponse, Response

from stead.core.named import NamedTuple
from stead.serve.portal.pages import page, part
from stead.serve.portal.visits import PortalRoute, Visit, of_project
from stead.serve.routes import AccessPolicy

V = "/network/v2.0"
MOST = 12  # instances that are drawn on one network alone; the others are counted
LEFT, SLOT, BAND, TOP = 30, 132, 128, 34  # pixels


class DrawnDevice(NamedTuple):
    id: str
    name: str
    path: str  # of its page
    kind: str
    status: str
    networks: tuple[str, ...]  # ids, in the order of the drawing


class PlacedDevice(NamedTuple):
    device: DrawnDevice
    x: int
    y: int
    leads: tuple[int, ...]  # heights of the networks that it is on


class DrawnNetwork(NamedTuple):
    id: str
    name: str
    about: str
    y: int
    more: int  # instances on it that are not drawn


class Drawing(NamedTuple):
    width: int
    height: int
    networks: tuple[DrawnNetwork, ...]
    devices: tuple[PlacedDevice, ...]


def drawing(networks: Sequence[tuple[str, str, str]], devices: Sequence[DrawnDevice]) -> Drawing:
    """`networks` are id, name and addresses, from the top. A slot across belongs to one device that joins several."""
    rank = {id_: at for at, (id_, _, _) in enumerate(networks)}
    joined = [one for one in devices if len(one.networks) > 1]
    alone = [one for one in devices if len(one.networks) == 1]
    placed = [_placed(one, at, rank) for at, one in enumerate(joined)]
    slots, more = dict.fromkeys(rank, len(joined)), dict.fromkeys(rank, 0)
    for one in alone:
        network = one.networks[0]
        if slots[network] - len(joined) >= MOST:
            more[network] += 1
        else:
            placed.append(_placed(one, slots[network], rank))
            slots[network] += 1
    across = max([*slots.values(), len(joined), 4])
    lines = tuple(
        DrawnNetwork(id_, name, about, TOP + at * BAND, more[id_]) for at, (id_, name, about) in enumerate(networks)
    )
    return Drawing(2 * LEFT + across * SLOT, TOP + len(networks) * BAND, lines, tuple(placed))


def _placed(one: DrawnDevice, slot: int, rank: Mapping[str, int]) -> PlacedDevice:
    heights = sorted(TOP + rank[each] * BAND for each in one.networks)
    return PlacedDevice(one, LEFT + slot * SLOT, heights[0] + 38, tuple(heights))


async def topology(visit: Visit) -> Response:
    stamp = await visit.stamp()
    if visit.is_part and visit.said("stamp") == stamp:
        return Response(status_code=204)
    networks, subnets, ports, routers, servers = await asyncio.gather(
        *(visit.ask("GET", f"{V}/{word}") for word in ("networks", "subnets", "ports", "routers")),
        visit.ask("GET", "/compute/v2.1/servers/detail"),
    )
    own_ports = [one for one in ports["ports"] if one["project_id"] == visit.project_id]
    joins = _joins(own_ports, routers["routers"])
    used = {network for some in joins.values() for network in some}
    shown = [one for one in of_project(visit, networks["networks"]) if _is_own(visit, one) or one["id"] in used]
    shown.sort(key=lambda one: (not one["router:external"], one["name"]))
    cidrs = {one["id"]: one["cidr"] for one in subnets["subnets"]}
    lines = [(one["id"], one["name"], " ".join(cidrs.get(each, "") for each in one["subnets"])) for one in shown]
    order = {id_: at for at, (id_, _, _) in enumerate(lines)}
    devices = [*_devices(of_project(visit, routers["routers"]), "routers", joins, order)]
    devices += _devices(servers["servers"], "instances", joins, order)
    values: dict[str, Any] = {"drawing": drawing(lines, devices), "stamp": stamp}
    if visit.is_part:
        return HTMLResponse(part(visit, "_topology.html", **values))
    return page(visit, "topology.html", **values)


def _is_own(visit: Visit, network: Mapping[str, Any]) -> bool:
    return bool(network["project_id"] == visit.project_id)


def _joins(ports: Sequence[Mapping[str, Any]], routers: Sequence[Mapping[str, Any]]) -> dict[str, set[str]]:
    """Which networks a device is on."""
    found: dict[str, set[str]] = {}
    for one in ports:
        found.setdefault(one["device_id"], set()).add(one["network_id"])
    for one in routers:
        if outside := (one.get("external_gateway_info") or {}).get("network_id"):
            found.setdefault(one["id"], set()).add(outside)
    return found


def _devices(
    items: Sequence[Mapping[str, Any]], kind: str, joins: Mapping[str, set[str]], order: Mapping[str, int]
) -> Iterator[DrawnDevice]:
    for one in items:
        on = sorted((each for each in joins.get(one["id"], ()) if each in order), key=order.__getitem__)
        if on:
            yield DrawnDevice(one["id"], one["name"], f"/{kind}/{one['id']}", kind, one["status"], tuple(on))


ROUTES = (PortalRoute("GET", "/topology", AccessPolicy.READER, topology),)
