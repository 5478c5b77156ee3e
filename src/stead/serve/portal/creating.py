"""A new instance on one page: what it will be is shown while the form is filled in, and nothing is made until then."""

from __future__ import annotations

import asyncio
import base64
import shlex
from collections.abc import Iterator
from typing import Any

from starlette.responses import HTMLResponse, RedirectResponse, Response

from stead.serve.faults import Fault
from stead.serve.portal.instances import SERVERS
from stead.serve.portal.pages import BASE, page, part
from stead.serve.portal.visits import PortalRoute, Visit, of_project
from stead.serve.routes import AccessPolicy

ABSENT = "instance"  # a name, as long as none is given


async def ask_what(visit: Visit) -> Response:
    return page(visit, "create.html", fault=None, **await _choices(visit))


async def _choices(visit: Visit) -> dict[str, Any]:
    flavors, images, networks, groups, keys, zones = await asyncio.gather(
        visit.ask("GET", "/compute/v2.1/flavors/detail"),
        visit.ask("GET", "/image/v2/images"),
        visit.ask("GET", "/network/v2.0/networks"),
        visit.ask("GET", "/network/v2.0/security-groups"),
        visit.ask("GET", "/compute/v2.1/os-keypairs"),
        visit.ask("GET", "/compute/v2.1/os-availability-zone"),
    )
    return {
        "flavors": sorted(flavors["flavors"], key=lambda one: (one["vcpus"], one["ram"], one["disk"])),
        "images": [one for one in images["images"] if one["status"] == "active"],
        "networks": [
            one for one in of_project(visit, networks["networks"]) if one["subnets"] and not one["router:external"]
        ],
        "groups": of_project(visit, groups["security_groups"]),
        "keys": [one["keypair"] for one in keys["keypairs"]],
        "zones": [one["zoneName"] for one in zones["availabilityZoneInfo"]],
    }


def body_of(visit: Visit) -> dict[str, Any]:
    """What the form asks for, as the API is asked for it."""
    said = visit.said
    networks = [one for one in visit.form.get("network", ()) if one]
    server: dict[str, Any] = {
        "name": said("name") or ABSENT,
        "flavorRef": said("flavor"),
        "imageRef": said("image"),
        "networks": [{"uuid": one} for one in networks] or "none",
    }
    if groups := [one for one in visit.form.get("group", ()) if one]:
        server["security_groups"] = [{"name": one} for one in groups]
    server |= {word: text for word, text in (("key_name", said("key")), ("availability_zone", said("zone"))) if text}
    if said("count", "1") != "1":
        server |= {"min_count": said("count"), "max_count": said("count")}
    if text := (visit.form.get("user_data") or [""])[0].replace("\r\n", "\n"):
        server["user_data"] = base64.b64encode(text.encode()).decode()
    return {"server": server}


def command_of(server: dict[str, Any]) -> str:
    """The same, typed."""
    return " ".join(["openstack server create", *map(shlex.quote, _words(server))])


def _words(server: dict[str, Any]) -> Iterator[str]:
    yield from ("--flavor", server["flavorRef"], "--image", server["imageRef"])
    if server["networks"] == "none":
        yield from ("--nic", "none")
    else:
        for one in server["networks"]:
            yield from ("--network", one["uuid"])
    for one in server.get("security_groups", ()):
        yield from ("--security-group", one["name"])
    for word, option in (
        ("key_name", "--key-name"),
        ("availability_zone", "--availability-zone"),
        ("min_count", "--min"),
    ):
        if word in server:
            yield from (option, server[word])
    if "max_count" in server:
        yield from ("--max", server["max_count"])
    if "user_data" in server:
        yield from ("--user-data", "user-data.yml")
    yield server["name"]


async def preview(visit: Visit) -> Response:
    body = body_of(visit)
    try:
        found = (await visit.ask("POST", SERVERS, body, preview=True))["preview"]
    except Fault as fault:
        return HTMLResponse(part(visit, "_notice.html", fault=fault))  # of what is being typed: no error of a page
    return HTMLResponse(part(visit, "_preview.html", preview=found, command=command_of(body["server"])))


async def create(visit: Visit) -> Response:
    body = body_of(visit)
    try:
        answer = await visit.ask("POST", SERVERS, body)
    except Fault as fault:
        return page(visit, "create.html", status=fault.status, fault=fault, **await _choices(visit))
    many = "max_count" in body["server"]
    return RedirectResponse(f"{BASE}/instances{'' if many else '/' + answer['server']['id']}", 303)


ROUTES = (
    PortalRoute("GET", "/new/instance", AccessPolicy.MEMBER, ask_what),
    PortalRoute("POST", "/new/instance", AccessPolicy.MEMBER, create),
    PortalRoute("POST", "/new/instance/preview", AccessPolicy.MEMBER, preview),
)
