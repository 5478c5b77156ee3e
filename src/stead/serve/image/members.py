"""Projects that an image is shared with. Its owner names them, and each says whether it takes it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from stead.serve.edits import Content
from stead.serve.faults import NOT_ALLOWED, Fault, conflict, forbidden, not_found
from stead.serve.image.images import key_of, shared_with, visible_one
from stead.serve.image.sharing import MEMBERS, PENDING, SHARED, SHARING, VISIBILITY, noted, said_of
from stead.serve.routes import NAME, ApiReply, Call, record
from stead.serve.world import CloudState, moment

MOST = 128  # members of one image
NEW = record(["member"], member=NAME)
STATUS = record(["status"], status={"enum": ["pending", "accepted", "rejected"]})


def _member(call: Call, name: str, said: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "image_id": call.path["id"],
        "member_id": name,
        "status": said["status"],
        "created_at": moment(said["created"]),
        "updated_at": moment(said["updated"]),
        "schema": "/v2/schemas/member",
    }


def _known(call: Call, world: CloudState) -> tuple[str, str, Mapping[str, Any]]:
    """The image, and those of its members that the caller may know: its owner all, a member only itself."""
    visible_one(call, world)
    for one, told in shared_with(call, world):
        if told["id"] == call.path["id"]:
            me, members = world.project_id(call.caller.project), said_of(world, one.project, one.key).get(MEMBERS, {})
            return one.project, one.key, {me: members[me]} if me in members else {}
    address = world.address("images", call.path["id"])
    if address is not None and not address.project:  # the site's
        return "", address.name, {}
    key = key_of(call, world)
    return call.caller.project, key, said_of(world, call.caller.project, key).get(MEMBERS, {})


def list_members(call: Call) -> ApiReply:
    _, _, members = _known(call, call.world)
    found = [_member(call, name, said) for name, said in members.items()]
    return ApiReply(body={"members": found, "schema": "/v2/schemas/members"})


def show_member(call: Call) -> ApiReply:
    _, _, members = _known(call, call.world)
    return ApiReply(body=_one(call, members))


def _one(call: Call, members: Mapping[str, Any]) -> dict[str, Any]:
    name = call.path["member"]
    if name not in members:
        raise not_found("Member", name)
    return _member(call, name, members[name])


def add_member(call: Call) -> ApiReply:
    world, name = call.world, call.body["member"]
    visible_one(call, world)
    key = key_of(call, world)
    said = said_of(world, call.project, key)
    if said.get(VISIBILITY) != SHARED:
        raise forbidden("Only an image of visibility shared has members.")
    if name in said.get(MEMBERS, {}):
        raise conflict(f"Project {name[:80]} is a member already.")
    if len(said.get(MEMBERS, {})) >= MOST:
        raise Fault(413, NOT_ALLOWED.id, f"An image has at most {MOST} members.", quota=True)
    now = call.cloud.clock()
    member = {"status": PENDING, "created": now, "updated": now}
    call.edit("share image", lambda content: noted(key, members={**_of(content, key), name: member})(content))
    return ApiReply(body=_member(call, name, member))


def _of(content: Content, key: str) -> Mapping[str, Any]:
    members: Mapping[str, Any] = content.get(SHARING, {}).get(key, {}).get(MEMBERS, {})
    return members


def change_member(call: Call) -> ApiReply:
    """By the member itself, in the document of who shares: it changes its own word there, and nothing else."""
    world = call.world
    owner, key, members = _known(call, world)
    name = call.path["member"]
    if owner == call.caller.project or name != world.project_id(call.caller.project):
        raise forbidden("Only the member itself says whether it takes an image.")
    _one(call, members)
    member = {**members[name], "status": call.body["status"], "updated": call.cloud.clock()}

    def edit(content: Content) -> Content:
        now = _of(content, key)
        return noted(key, members={**now, name: member})(content) if name in now else content

    try:
        call.cloud.edit(owner, call.who, "answer the sharing of an image", edit)
    except Fault as fault:  # what it says is of another project
        raise conflict("The project that shares the image cannot be changed just now.") from fault
    return ApiReply(body=_member(call, name, member))


def remove_member(call: Call) -> ApiReply:
    world, name = call.world, call.path["member"]
    visible_one(call, world)
    key = key_of(call, world)
    _one(call, said_of(world, call.project, key).get(MEMBERS, {}))

    def edit(content: Content) -> Content:
        return noted(key, members={each: said for each, said in _of(content, key).items() if each != name})(content)

    call.edit("share image no longer", edit)
    return ApiReply(204)
