"""What else a project has: a list of each kind, and a page of each thing. One table says what of the API is shown."""

from __future__ import annotations

import asyncio
import shlex
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any

from starlette.responses import HTMLResponse, RedirectResponse, Response

from stead.core.named import NamedTuple
from stead.serve.faults import bad, not_found
from stead.serve.portal.making import MADE_HERE
from stead.serve.portal.pages import BASE, page, part
from stead.serve.portal.visits import PortalRoute, Visit, of_project
from stead.serve.routes import AccessPolicy

Item = dict[str, Any]
V = "/network/v2.0"
COMMANDS = {"Key": "keypair"}  # where `openstack` has another word


class ResourceRow(NamedTuple):
    id: str
    name: str
    cells: tuple[str, ...]
    link: str = ""  # below the portal's; empty: its own page
    facts: tuple[tuple[str, str], ...] = ()  # more, on its own page
    is_own: bool = True  # the project's, to delete
    table: tuple[tuple[str, ...], ...] = ()  # the same, where there is a list of parts; its first row is the heading


class ResourcePage(NamedTuple):
    path: str
    title: str
    headings: tuple[str, ...]
    rows: Callable[[Visit], Awaitable[list[ResourceRow]]]
    one: str  # what one is called
    api: str  # where the API has one, without its id
    is_previewed: bool = True  # what deleting it would do


def _dash(text: Any) -> str:
    return str(text) if text not in (None, "", []) else "-"


async def _networks(visit: Visit) -> list[ResourceRow]:
    networks, subnets, ports = await asyncio.gather(
        visit.ask("GET", f"{V}/networks"), visit.ask("GET", f"{V}/subnets"), visit.ask("GET", f"{V}/ports")
    )
    cidrs = {one["id"]: f"{one['cidr']}" for one in subnets["subnets"]}
    used = [one["network_id"] for one in of_project(visit, ports["ports"])]
    return [
        ResourceRow(
            one["id"],
            one["name"],
            (
                one["status"],
                _dash(", ".join(cidrs.get(each, "") for each in one["subnets"])),
                "external" if one["router:external"] else "shared" if one["shared"] else "own",
                str(used.count(one["id"])),
            ),
            facts=(("MTU", _dash(one.get("mtu"))), ("Description", _dash(one.get("description")))),
            is_own=one["project_id"] == visit.project_id,
            table=(("Subnet", "Gateway"), *_subnets(one, subnets["subnets"])),
        )
        for one in of_project(visit, networks["networks"])
    ]


def _subnets(network: Item, subnets: Sequence[Item]) -> Iterator[tuple[str, ...]]:
    return ((one["cidr"], _dash(one["gateway_ip"])) for one in subnets if one["network_id"] == network["id"])


async def _routers(visit: Visit) -> list[ResourceRow]:
    routers, ports, networks = await asyncio.gather(
        visit.ask("GET", f"{V}/routers"), visit.ask("GET", f"{V}/ports"), visit.ask("GET", f"{V}/networks")
    )
    names = {one["id"]: one["name"] for one in networks["networks"]}
    return [
        ResourceRow(
            one["id"],
            one["name"],
            (one["status"], _dash(_outside(one, names)), str(len(_seats(one, ports["ports"])))),
            facts=(("Description", _dash(one.get("description"))),),
            table=(
                ("Network", "Address"),
                *((names.get(net, ""), address) for net, address in _seats(one, ports["ports"])),
            ),
        )
        for one in of_project(visit, routers["routers"])
    ]


def _outside(router: Item, names: Mapping[str, str]) -> str:
    gateway = router.get("external_gateway_info") or {}
    addresses = [each["ip_address"] for each in gateway.get("external_fixed_ips") or ()]
    return " ".join([names.get(gateway.get("network_id", ""), ""), *addresses]).strip()


def _seats(device: Item, ports: Sequence[Item]) -> list[tuple[str, str]]:
    mine = [one for one in ports if one["device_id"] == device["id"]]
    return [(one["network_id"], each["ip_address"]) for one in mine for each in one["fixed_ips"]]


async def _groups(visit: Visit) -> list[ResourceRow]:
    groups = (await visit.ask("GET", f"{V}/security-groups"))["security_groups"]
    names = {one["id"]: one["name"] for one in groups}
    head = ("Direction", "Protocol", "Ports", "Remote")
    return [
        ResourceRow(
            one["id"],
            one["name"],
            (_dash(one["description"]), str(len(one["security_group_rules"]))),
            table=(head, *(_rule(each, names) for each in one["security_group_rules"])),
        )
        for one in of_project(visit, groups)
    ]


def _rule(rule: Item, names: Mapping[str, str]) -> tuple[str, ...]:
    first, last = rule["port_range_min"], rule["port_range_max"]
    ports = "" if first is None else str(first) if first == last else f"{first}-{last}"
    remote = rule["remote_ip_prefix"] or names.get(rule["remote_group_id"] or "", "")
    return (rule["direction"], f"{rule['ethertype']} {rule['protocol'] or ''}".strip(), _dash(ports), _dash(remote))


async def _addresses(visit: Visit) -> list[ResourceRow]:
    addresses, ports, servers = await asyncio.gather(
        visit.ask("GET", f"{V}/floatingips"),
        visit.ask("GET", f"{V}/ports"),
        visit.ask("GET", "/compute/v2.1/servers"),
    )
    devices = {one["id"]: one["device_id"] for one in ports["ports"]}
    names = {one["id"]: one["name"] for one in servers["servers"]}
    found = []
    for one in of_project(visit, addresses["floatingips"]):
        server = devices.get(one["port_id"] or "", "")
        cells = (one["status"], _dash(one["fixed_ip_address"]), _dash(names.get(server)))
        link = f"/instances/{server}" if server in names else ""
        found.append(ResourceRow(one["id"], one["floating_ip_address"], cells, link))
    return found


async def _volumes(visit: Visit) -> list[ResourceRow]:
    volumes, servers = await asyncio.gather(
        visit.ask("GET", f"/volume/v3/{visit.project_id}/volumes/detail"),
        visit.ask("GET", "/compute/v2.1/servers"),
    )
    names = {one["id"]: one["name"] for one in servers["servers"]}
    return [
        ResourceRow(
            one["id"],
            one["name"] or one["id"],
            (one["status"], f"{one['size']} GiB", _dash(", ".join(_users(one, names)))),
            facts=(
                ("Description", _dash(one.get("description"))),
                ("Created", one["created_at"][:16].replace("T", " ")),
            ),
            table=(("Instance", "Device"), *((name, "") for name in _users(one, names))) if one["attachments"] else (),
        )
        for one in volumes["volumes"]
    ]


def _users(volume: Item, names: Mapping[str, str]) -> list[str]:
    return [names.get(each["server_id"], each["server_id"]) for each in volume["attachments"]]


async def _images(visit: Visit) -> list[ResourceRow]:
    images = (await visit.ask("GET", "/image/v2/images"))["images"]
    return [
        ResourceRow(
            one["id"],
            one["name"] or one["id"],
            (one["status"], one["visibility"], _dash(one.get("disk_format")), _size(one.get("size"))),
            is_own=one.get("owner") == visit.project_id,
            facts=(
                ("Minimum disk", f"{one.get('min_disk', 0)} GiB"),
                ("Minimum memory", f"{one.get('min_ram', 0)} MiB"),
            ),
        )
        for one in images
    ]


def _size(bytes_: int | None) -> str:
    return f"{bytes_ / (1 << 20):,.0f} MiB" if bytes_ else "-"


async def _keys(visit: Visit) -> list[ResourceRow]:
    pairs = (await visit.ask("GET", "/compute/v2.1/os-keypairs"))["keypairs"]
    found = [one["keypair"] for one in pairs]
    return [
        ResourceRow(one["name"], one["name"], (one["fingerprint"],), facts=(("Public key", one["public_key"]),))
        for one in found
    ]


PAGES = (
    ResourcePage(
        "networks", "Networks", ("Name", "Status", "Subnets", "Whose", "Ports"), _networks, "Network", f"{V}/networks"
    ),
    ResourcePage("routers", "Routers", ("Name", "Status", "Outside", "Interfaces"), _routers, "Router", f"{V}/routers"),
    ResourcePage(
        "security-groups",
        "Security groups",
        ("Name", "Description", "Rules"),
        _groups,
        "Security group",
        f"{V}/security-groups",
    ),
    ResourcePage(
        "floating-ips",
        "Floating IPs",
        ("Address", "Status", "Inside", "Instance"),
        _addresses,
        "Floating IP",
        f"{V}/floatingips",
    ),
    ResourcePage(
        "volumes", "Volumes", ("Name", "Status", "Size", "Instance"), _volumes, "Volume", "/volume/v3/{project}/volumes"
    ),
    ResourcePage(
        "images",
        "Images",
        ("Name", "Status", "Visibility", "Format", "Size"),
        _images,
        "Image",
        "/image/v2/images",
        False,
    ),
    ResourcePage("keys", "Keys", ("Name", "Fingerprint"), _keys, "Key", "/compute/v2.1/os-keypairs"),
)


async def _list(kind: ResourcePage, visit: Visit) -> Response:
    stamp = await visit.stamp()
    if visit.is_part and visit.said("stamp") == stamp:
        return Response(status_code=204)
    rows, words = await kind.rows(visit), visit.said("q").lower().split()
    shown = [one for one in rows if all(word in " ".join([one.name, one.id, *one.cells]).lower() for word in words)]
    values: dict[str, Any] = {
        "kind": kind,
        "made_here": kind.path in MADE_HERE,
        "rows": shown,
        "total": len(rows),
        "stamp": stamp,
    }
    if visit.is_part:
        return HTMLResponse(part(visit, "_resources.html", **values))
    return page(visit, "resources.html", **values)


async def _one(kind: ResourcePage, visit: Visit) -> ResourceRow:
    row = next((one for one in await kind.rows(visit) if one.id == visit.path["id"]), None)
    if row is None:
        raise not_found(kind.one, visit.path["id"])
    return row


async def _show(kind: ResourcePage, visit: Visit) -> Response:
    return page(visit, "resource.html", kind=kind, row=await _one(kind, visit))


def _path(kind: ResourcePage, visit: Visit) -> str:
    return f"{kind.api.format(project=visit.project_id)}/{visit.path['id']}"


async def _preview(kind: ResourcePage, visit: Visit) -> Response:
    row = await _one(kind, visit)
    if not kind.is_previewed:
        return HTMLResponse("")
    answer = await visit.ask("DELETE", _path(kind, visit), preview=True)
    command = f"openstack {COMMANDS.get(kind.one, kind.one.lower())} delete {shlex.quote(row.id)}"
    return HTMLResponse(part(visit, "_preview.html", preview=answer["preview"], command=command))


async def _delete(kind: ResourcePage, visit: Visit) -> Response:
    """Only who types its name means this one."""
    row = await _one(kind, visit)
    if visit.said("typed") != row.name.strip():
        raise bad("The typed name is another one. Nothing was deleted.")
    await visit.ask("DELETE", _path(kind, visit))
    return RedirectResponse(f"{BASE}/{kind.path}", 303)


def _routes(kind: ResourcePage) -> Iterator[PortalRoute]:
    yield PortalRoute("GET", f"/{kind.path}", AccessPolicy.READER, partial(_list, kind))
    yield PortalRoute("GET", f"/{kind.path}/{{id}}", AccessPolicy.READER, partial(_show, kind))
    yield PortalRoute("POST", f"/{kind.path}/{{id}}/preview", AccessPolicy.MEMBER, partial(_preview, kind))
    yield PortalRoute("POST", f"/{kind.path}/{{id}}/delete", AccessPolicy.MEMBER, partial(_delete, kind))


ROUTES = tuple(route for kind in PAGES for route in _routes(kind))
