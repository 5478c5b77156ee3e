"""New networks, volumes, floating IPs and keys: a form for each, with what it does shown before it is sent."""

from __future__ import annotations

import shlex
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any
from urllib.parse import quote

from starlette.responses import HTMLResponse, RedirectResponse, Response

from stead.core.named import NamedTuple
from stead.serve.faults import Fault
from stead.serve.portal.pages import BASE, page, part
from stead.serve.portal.visits import PortalRoute, Visit
from stead.serve.routes import AccessPolicy

V = "/network/v2.0"
Choices = Mapping[str, Sequence[tuple[str, str]]]  # by field: value and words


class FormField(NamedTuple):
    name: str
    label: str
    type: str = "text"  # or number, lines, choice
    required: bool = True
    example: str = ""


class AskedForm(NamedTuple):
    """What a form asks of the API, and the command that does the same."""

    path: str
    body: dict[str, Any]
    command: list[str]


class ResourceForm(NamedTuple):
    path: str  # behind `/new/`
    title: str
    fields: tuple[FormField, ...]
    asked: Callable[[Visit], AskedForm]
    choices: Callable[[Visit], Awaitable[Choices]]
    back: str = ""  # the list, where it is not at the same path

    @property
    def listed(self) -> str:
        return self.back or self.path


async def _none(_visit: Visit) -> Choices:
    return {}


def _network(visit: Visit) -> AskedForm:
    name = visit.said("name")
    return AskedForm(f"{V}/networks", {"network": {"name": name}}, ["network", "create", name])


def _volume(visit: Visit) -> AskedForm:
    name, size = visit.said("name"), visit.said("size")
    body = {"name": name, "size": int(size) if size.isascii() and size.isdigit() and len(size) < 10 else size}
    command = ["volume", "create", "--size", size, name]
    return AskedForm(f"/volume/v3/{visit.project_id}/volumes", {"volume": body}, command)


def _floating(visit: Visit) -> AskedForm:
    network, port = visit.said("network"), visit.said("port")
    body = {"floating_network_id": network, **({"port_id": port} if port else {})}
    command = ["floating", "ip", "create", *(["--port", port] if port else []), network]
    return AskedForm(f"{V}/floatingips", {"floatingip": body}, command)


def _key(visit: Visit) -> AskedForm:
    name, text = visit.said("name"), visit.said("public_key")
    command = ["keypair", "create", "--public-key", "id.pub", name]
    return AskedForm("/compute/v2.1/os-keypairs", {"keypair": {"name": name, "public_key": text}}, command)


def _attachment(visit: Visit) -> AskedForm:
    volume, instance = visit.said("volume"), visit.said("instance")
    path = f"/compute/v2.1/servers/{quote(instance, safe='')}/os-volume_attachments"
    return AskedForm(path, {"volumeAttachment": {"volumeId": volume}}, ["server", "add", "volume", instance, volume])


async def _attachable(visit: Visit) -> Choices:
    volumes = (await visit.ask("GET", f"/volume/v3/{visit.project_id}/volumes/detail"))["volumes"]
    servers = (await visit.ask("GET", "/compute/v2.1/servers"))["servers"]
    return {
        "volume": [(one["id"], one["name"] or one["id"]) for one in volumes if not one["attachments"]],
        "instance": [(one["id"], one["name"]) for one in servers],
    }


async def detach(visit: Visit) -> Response:
    """From the instance that has it."""
    path = f"/volume/v3/{visit.project_id}/volumes/{visit.path['id']}"
    for one in (await visit.ask("GET", path))["volume"]["attachments"]:
        await visit.ask("DELETE", f"/compute/v2.1/servers/{one['server_id']}/os-volume_attachments/{visit.path['id']}")
    return RedirectResponse(f"{BASE}/volumes/{visit.path['id']}", 303)


async def _outside(visit: Visit) -> Choices:
    networks = (await visit.ask("GET", f"{V}/networks"))["networks"]
    servers = {one["id"]: one["name"] for one in (await visit.ask("GET", "/compute/v2.1/servers"))["servers"]}
    ports = (await visit.ask("GET", f"{V}/ports"))["ports"]
    return {
        "network": [(one["id"], one["name"]) for one in networks if one["router:external"]],
        "port": [("", "-"), *_ports(ports, servers)],
    }


def _ports(ports: Sequence[Mapping[str, Any]], servers: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    for one in ports:
        if one["device_id"] in servers and one["fixed_ips"]:
            yield one["id"], f"{servers[one['device_id']]} {one['fixed_ips'][0]['ip_address']}"


NAME = FormField("name", "Name")
FORMS = (
    ResourceForm(
        "networks", "New network", (NAME, FormField("cidr", "Subnet", example="10.0.0.0/24")), _network, _none
    ),
    ResourceForm("volumes", "New volume", (NAME, FormField("size", "Size in GiB", "number")), _volume, _none),
    ResourceForm(
        "floating-ips",
        "New floating IP",
        (FormField("network", "Network", "choice"), FormField("port", "Instance", "choice", required=False)),
        _floating,
        _outside,
    ),
    ResourceForm(
        "attachments",
        "Attach a volume",
        (FormField("volume", "Volume", "choice"), FormField("instance", "Instance", "choice")),
        _attachment,
        _attachable,
        "volumes",
    ),
    ResourceForm("keys", "New key", (NAME, FormField("public_key", "Public key", "lines")), _key, _none),
)


async def _ask_what(form: ResourceForm, visit: Visit) -> Response:
    return page(visit, "make.html", form=form, fault=None, choices=await form.choices(visit))


async def _preview(form: ResourceForm, visit: Visit) -> Response:
    asked = form.asked(visit)
    try:
        found = (await visit.ask("POST", asked.path, asked.body, preview=True))["preview"]
    except Fault as fault:
        return HTMLResponse(part(visit, "_notice.html", fault=fault))
    command = " ".join(["openstack", *map(shlex.quote, asked.command)])
    if cidr := visit.said("cidr"):
        name = shlex.quote(visit.said("name"))
        command += f"\nopenstack subnet create --network {name} --subnet-range {shlex.quote(cidr)} {name}"
    return HTMLResponse(part(visit, "_preview.html", preview=found, command=command))


async def _make(form: ResourceForm, visit: Visit) -> Response:
    asked = form.asked(visit)
    try:
        made = await visit.ask("POST", asked.path, asked.body)
        if cidr := visit.said("cidr"):
            await _with_subnet(visit, made["network"]["id"], cidr)
    except Fault as fault:
        return page(visit, "make.html", status=fault.status, form=form, fault=fault, choices=await form.choices(visit))
    return RedirectResponse(f"{BASE}/{form.listed}", 303)


async def _with_subnet(visit: Visit, network: str, cidr: str) -> None:
    """A network whose subnet is refused is not left behind."""
    body = {"network_id": network, "cidr": cidr, "ip_version": 6 if ":" in cidr else 4}
    try:
        await visit.ask("POST", f"{V}/subnets", {"subnet": body})
    except Fault:
        await visit.ask("DELETE", f"{V}/networks/{network}")
        raise


def _routes(form: ResourceForm) -> Iterator[PortalRoute]:
    yield PortalRoute("GET", f"/new/{form.path}", AccessPolicy.MEMBER, partial(_ask_what, form))
    yield PortalRoute("POST", f"/new/{form.path}", AccessPolicy.MEMBER, partial(_make, form))
    yield PortalRoute("POST", f"/new/{form.path}/preview", AccessPolicy.MEMBER, partial(_preview, form))


ROUTES = (
    *(route for form in FORMS for route in _routes(form)),
    PortalRoute("POST", "/volumes/{id}/detach", AccessPolicy.MEMBER, detach),
)
MADE_HERE = frozenset(form.path for form in FORMS)
