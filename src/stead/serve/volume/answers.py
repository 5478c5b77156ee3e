"""What is alike for volumes and snapshots: whose they are, and how they are listed, found and described."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from stead.serve.edits import change
from stead.serve.faults import Fault, bad, not_found
from stead.serve.listing import MOST, filtered, limit_of, ordered, page
from stead.serve.routes import ApiReply, Call, Handler
from stead.serve.world import CloudState, KnownResource, ResourceStatus, bare

V = "/volume/v3"
P = f"{V}/{{project}}"
STATUS = {ResourceStatus.BUILDING: "creating", ResourceStatus.FAILED: "error"}


def scope(call: Call) -> None:
    """The project in the path is that of the token, or an admin's business."""
    if bare(call.path["project"]) != call.world.project_id(call.caller.project) and not call.caller.admin:
        raise not_found("Project", call.path["project"])


def scoped(handler: Handler) -> Handler:
    def handled(call: Call) -> ApiReply:
        scope(call)
        try:
            return handler(call)
        except Fault as fault:
            raise Fault(413, fault.code, fault.text, quota=True) if fault.quota else fault from None

    return handled


def _all(call: Call, kind: str) -> tuple[CloudState, list[KnownResource]]:
    world = call.world
    everywhere = call.caller.admin and call.flag("all_tenants")
    found = world.things(kind, None if everywhere else [call.caller.project])
    return world, [one for one in found if is_told(one)][::-1]


def is_told(thing: KnownResource) -> bool:
    """A snapshot of an instance is no volume's: these clients have no words for it."""
    return thing.address.kind != "snapshots" or thing.model.volume is not None


SORT_KEYS = frozenset(
    {
        "id",
        "name",
        "display_name",
        "status",
        "size",
        "created_at",
        "updated_at",
        "availability_zone",
        "bootable",
        "volume_type",
        "volume_id",
        "user_id",
        "description",
    }
)
_NOT_FILTERS = frozenset({"all_tenants", "with_count"})
_NAMES = {"display_name": "name"}  # an older word
_OF_OWNER = {"project_id": "os-vol-tenant-attr:tenant_id", "tenant_id": "os-vol-tenant-attr:tenant_id"}


def listed(call: Call, kind: str, make: Callable[[CloudState, KnownResource], dict[str, Any]], path: str) -> ApiReply:
    world, things = _all(call, kind)
    call.query = [(_OF_OWNER.get(name, name), text) for name, text in call.query if name not in _NOT_FILTERS]
    items = filtered(call, [make(world, thing) for thing in things])
    _must_be_fields(call, items)
    call.query = [(name, _NAMES.get(text, text) if name == "sort_key" else text) for name, text in call.query]
    items = ordered(call, items)
    start = int(call.asked("offset") or 0) if (call.asked("offset") or "0").isdigit() else 0
    part = [] if call.asked("limit") == "0" else page(call, items[start:])[0]
    body: dict[str, Any] = {kind: part}
    if part and len(part) == limit_of(call) < MOST:
        href = f"{call.root}{V}/{call.path['project']}/{path}?limit={limit_of(call)}&marker={part[-1]['id']}"
        body[f"{kind}_links"] = [{"rel": "next", "href": href}]
    return ApiReply(body=body)


def _must_be_fields(call: Call, items: Sequence[Mapping[str, Any]]) -> None:
    """What a list can be ordered by; an id that is not there is no marker."""
    keys = [text for name, text in call.query if name == "sort_key"]
    keys += [one.partition(":")[0] for one in call.asked("sort").split(",") if one]
    if unknown := [one for one in keys if one not in SORT_KEYS]:
        raise bad(f"Invalid sort key: {unknown[0][:60]}. One of {', '.join(sorted(SORT_KEYS))}.")
    if (marker := call.asked("marker")) and all(one["id"] != marker for one in items):
        raise not_found("Marker", marker)


def seen(call: Call, kind: str, what: str) -> tuple[CloudState, KnownResource]:
    world = call.world
    thing = world.find(kind, call.path["id"], call.caller.project, what=what, admin=call.caller.admin)
    return world, told(thing, what)


def own(call: Call, kind: str, what: str) -> tuple[CloudState, KnownResource]:
    world, thing = call.own(kind, what)
    return world, told(thing, what)


def told(thing: KnownResource, what: str) -> KnownResource:
    if not is_told(thing):
        raise not_found(what, thing.id)
    return thing


def described(call: Call, kind: str, what: str, body: str) -> tuple[CloudState, KnownResource]:
    _, thing = own(call, kind, what)
    said, name = call.body[body], thing.address.name
    words = (("name", "display_name"), ("description", "description"), ("metadata", "labels"))
    fields = {word: said[one] or None for one, word in words if one in said}
    world = call.edit(f"change {what.lower()}", lambda content: change(content, kind, name, fields))
    return world, world.thing(thing.address)
