"""Instances: the list with search, filter and order, one with all that is known of it, and what can be done to it."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

from starlette.responses import HTMLResponse, RedirectResponse, Response

from stead.serve.faults import Fault, bad
from stead.serve.portal.pages import BASE, page, part
from stead.serve.portal.visits import PortalRoute, Visit
from stead.serve.routes import AccessPolicy

SERVERS = "/compute/v2.1/servers"
Server = Mapping[str, Any]
ORDERS = ("name", "status", "flavor", "image", "host", "created")
# What can be done to a server in each vm_state: action, its words for people, its body in the API, its command.
ACTIONS: Mapping[str, tuple[str, Any, str]] = {
    "os-start": ("Start", None, "start"),
    "os-stop": ("Stop", None, "stop"),
    "reboot": ("Reboot", {"type": "SOFT"}, "reboot"),
    "pause": ("Pause", None, "pause"),
    "unpause": ("Continue", None, "unpause"),
    "suspend": ("Suspend", None, "suspend"),
    "resume": ("Resume", None, "resume"),
    "shelve": ("Shelve", None, "shelve"),
    "unshelve": ("Unshelve", None, "unshelve"),
    "confirmResize": ("Confirm the resize", None, "resize confirm"),
    "revertResize": ("Revert the resize", None, "resize revert"),
}
POSSIBLE: Mapping[str, Sequence[str]] = {
    "active": ("os-stop", "reboot", "pause", "suspend", "shelve"),
    "stopped": ("os-start", "shelve"),
    "paused": ("unpause",),
    "suspended": ("resume",),
    "shelved_offloaded": ("unshelve",),
    "resized": ("confirmResize", "revertResize", "os-stop"),
    "error": ("os-start", "os-stop"),
}
AT_ONCE = ("os-start", "os-stop", "reboot")  # for many at once
LOG_LINES = 200


async def list_instances(visit: Visit) -> Response:
    stamp = await visit.stamp()
    if visit.is_part and visit.said("stamp") == stamp:
        return Response(status_code=204)
    rows = await _rows(visit)
    values: dict[str, Any] = {
        "rows": ordered(found(rows, visit), visit),
        "total": len(rows),
        "stamp": stamp,
        "at_once": _at_once(),
    }
    values |= {"states": sorted({one["status"] for one in rows}), "orders": ORDERS}
    if visit.is_part:
        return HTMLResponse(part(visit, "_instances.html", **values))
    return page(visit, "instances.html", **values)


def _at_once() -> list[tuple[str, str]]:
    return [(action, ACTIONS[action][0]) for action in AT_ONCE]


async def _rows(visit: Visit) -> list[dict[str, Any]]:
    servers, flavors, images = await asyncio.gather(
        visit.ask("GET", f"{SERVERS}/detail"),
        visit.ask("GET", "/compute/v2.1/flavors/detail"),
        visit.ask("GET", "/image/v2/images"),
    )
    names = {one["id"]: one["name"] for one in (*flavors["flavors"], *images["images"])}
    return [row_of(one, names) for one in servers["servers"]]


def row_of(server: Server, names: Mapping[str, str]) -> dict[str, Any]:
    image = server["image"]
    return {
        "id": server["id"],
        "name": server["name"],
        "status": server["status"],
        "task": server["OS-EXT-STS:task_state"] or "",
        "addresses": [each["addr"] for some in server["addresses"].values() for each in some],
        "flavor": names.get(server["flavor"]["id"], ""),
        "image": names.get(image["id"], "") if image else "",
        "host": server.get("OS-EXT-SRV-ATTR:host") or "",
        "created": server["created"],
    }


def found(rows: Sequence[dict[str, Any]], visit: Visit) -> list[dict[str, Any]]:
    words, status = visit.said("q").lower().split(), visit.said("status")
    return [
        one for one in rows if (not status or one["status"] == status) and all(word in _text(one) for word in words)
    ]


def _text(row: Mapping[str, Any]) -> str:
    told = (row["name"], row["id"], row["flavor"], row["image"], row["host"], *row["addresses"])
    return " ".join(told).lower()


def ordered(rows: list[dict[str, Any]], visit: Visit) -> list[dict[str, Any]]:
    """The latest first, unless another order is asked for: `name`, or `-name` for the other way round."""
    word = visit.said("order").removeprefix("-")
    if word not in ORDERS:
        return rows
    return sorted(rows, key=lambda one: str(one[word]).lower(), reverse=visit.said("order").startswith("-"))


async def show_instance(visit: Visit) -> Response:
    stamp, id_ = await visit.stamp(), visit.path["id"]
    if visit.is_part and visit.said("stamp") == stamp:
        return Response(status_code=204)
    server, flavors, images, seats, volumes = await asyncio.gather(
        visit.ask("GET", f"{SERVERS}/{id_}"),
        visit.ask("GET", "/compute/v2.1/flavors/detail"),
        visit.ask("GET", "/image/v2/images"),
        visit.ask("GET", f"{SERVERS}/{id_}/os-interface"),
        visit.ask("GET", f"/volume/v3/{visit.project_id}/volumes/detail"),
    )
    one, flavor_id = server["server"], server["server"]["flavor"]["id"]
    names = {each["id"]: each["name"] for each in images["images"]}
    attached = {each["id"] for each in one["os-extended-volumes:volumes_attached"]}
    values = {
        "server": one,
        "row": row_of(one, names),
        "flavor": next((each for each in flavors["flavors"] if each["id"] == flavor_id), None),
        "seats": seats["interfaceAttachments"],
        "volumes": [each for each in volumes["volumes"] if each["id"] in attached],
        "actions": [(action, ACTIONS[action][0]) for action in possible(one)],
        "stamp": stamp,
    }
    if visit.is_part:
        return HTMLResponse(part(visit, "_instance.html", **values))
    return page(visit, "instance.html", done=visit.said("done"), **values)


def possible(server: Server) -> Sequence[str]:
    return () if server["OS-EXT-STS:task_state"] else POSSIBLE.get(server["OS-EXT-STS:vm_state"], ())


async def act(visit: Visit) -> Response:
    await _act(visit, visit.path["id"], visit.said("action"))
    return RedirectResponse(f"{BASE}/instances/{visit.path['id']}", 303)


async def _act(visit: Visit, id_: str, action: str) -> None:
    if action not in ACTIONS:
        raise bad("There is no such action.")
    await visit.ask("POST", f"{SERVERS}/{id_}/action", {action: ACTIONS[action][1]})


async def act_on_many(visit: Visit) -> Response:
    """What cannot be done is told, and the rest is done. They go together into one version and one plan."""
    action, chosen = visit.said("action"), visit.form.get("id", ())
    if action not in AT_ONCE:
        raise bad("There is no such action.")
    answers = await asyncio.gather(*(_act(visit, id_, action) for id_ in chosen), return_exceptions=True)
    refusals = [one for one in answers if isinstance(one, Fault)]
    if refusals:
        told = "; ".join(dict.fromkeys(one.text for one in refusals[:5]))
        text = f"{len(refusals)} of {len(chosen)} were refused, the others are being done: {told}"
        raise Fault(refusals[0].status, refusals[0].code, text)
    return RedirectResponse(f"{BASE}/instances", 303)


async def preview_action(visit: Visit) -> Response:
    """What an action would disturb, before it is asked for."""
    id_, action = visit.path["id"], visit.said("action")
    if action == "delete":
        answer = await visit.ask("DELETE", f"{SERVERS}/{id_}", preview=True)
    elif action in ACTIONS:
        answer = await visit.ask("POST", f"{SERVERS}/{id_}/action", {action: ACTIONS[action][1]}, preview=True)
    else:
        raise bad("There is no such action.")
    command = f"openstack server {'delete' if action == 'delete' else ACTIONS[action][2]} {id_}"
    return HTMLResponse(part(visit, "_preview.html", preview=answer["preview"], command=command))


async def delete(visit: Visit) -> Response:
    """Only who types its name means this one."""
    id_ = visit.path["id"]
    server = (await visit.ask("GET", f"{SERVERS}/{id_}"))["server"]
    if visit.said("typed") != server["name"].strip():
        raise bad("The typed name is not that of the instance. Nothing was deleted.")
    await visit.ask("DELETE", f"{SERVERS}/{id_}")
    return RedirectResponse(f"{BASE}/instances", 303)


async def console_log(visit: Visit) -> Response:
    path = f"{SERVERS}/{visit.path['id']}"
    await visit.ask("GET", path)
    try:
        body = {"os-getConsoleOutput": {"length": LOG_LINES}}
        text = (await visit.ask("POST", f"{path}/action", body))["output"]
    except Fault as fault:
        if fault.status not in (404, 409):
            raise
        text = ""
    return HTMLResponse(part(visit, "_log.html", text=text))


READER, MEMBER = AccessPolicy.READER, AccessPolicy.MEMBER
ONE = "/instances/{id}"
ROUTES = (
    PortalRoute("GET", "/instances", READER, list_instances),
    PortalRoute("POST", "/instances/actions", MEMBER, act_on_many),
    PortalRoute("GET", ONE, READER, show_instance),
    PortalRoute("POST", f"{ONE}/action", MEMBER, act),
    PortalRoute("POST", f"{ONE}/preview", MEMBER, preview_action),
    PortalRoute("POST", f"{ONE}/delete", MEMBER, delete),
    PortalRoute("GET", f"{ONE}/log", MEMBER, console_log),
)
