"""Volumes that pass from one project to another: offered with a key, and accepted by who has it. The data stays."""

from __future__ import annotations

import hashlib
import hmac
import secrets
import uuid
from collections.abc import Iterator, Mapping
from typing import Any

from stead.core.address import Address
from stead.core.effect import Action
from stead.core.named import NamedTuple
from stead.language.spec.stored import PASSED
from stead.plan.model import Plan
from stead.serve import notes, volume_notes
from stead.serve.edits import Content, entry_of, put, remove
from stead.serve.faults import bad, conflict, not_built, not_found
from stead.serve.keys import new_key
from stead.serve.listing import filtered
from stead.serve.routes import ApiReply, Call
from stead.serve.together import Edits, edit_together
from stead.serve.volume.answers import V
from stead.serve.volume.volumes import summary
from stead.serve.volume_notes import BOOTABLE, READONLY, TRANSFER
from stead.serve.world import CloudState, KnownResource, ResourceStatus, moment

KEPT = (READONLY, BOOTABLE)  # of what is known of a volume, whoever has it
SECRET = 16  # random bytes of a key


class VolumeTransfer(NamedTuple):
    volume: Address
    said: Mapping[str, Any]


def create_transfer(call: Call) -> ApiReply:
    said = call.body["transfer"]
    volume = call.own_named("volumes", said["volume_id"], "Volume")
    _must_be_free(call, call.world, volume)
    _must_stand_alone(call.world, volume)
    key = secrets.token_hex(SECRET)
    offer = {"id": str(uuid.uuid4()), "name": said.get("name") or "", "at": call.cloud.clock(), "key": _digest(key)}
    call.edit("offer volume", volume_notes.note(volume.address, **{TRANSFER: offer}))
    one = VolumeTransfer(volume.address, offer)
    return ApiReply(202, {"transfer": {**_detail(call, one), "auth_key": key}})


def list_transfers(call: Call) -> ApiReply:
    return ApiReply(body={"transfers": filtered(call, [_brief(call, one) for one in _seen(call)])})


def detail_transfers(call: Call) -> ApiReply:
    return ApiReply(body={"transfers": filtered(call, [_detail(call, one) for one in _seen(call)])})


def show_transfer(call: Call) -> ApiReply:
    return ApiReply(body={"transfer": _detail(call, _own(call))})


def delete_transfer(call: Call) -> ApiReply:
    one = _own(call)
    call.act_in(one.volume.project)
    call.edit("take an offer back", volume_notes.note(one.volume, **{TRANSFER: None}))
    return ApiReply(202)


def accept_transfer(call: Call) -> ApiReply:
    """By who has id and key, for the project of the token: that is its consent, and the offer is the other's."""
    if call.preview:
        raise not_built("What accepting a transfer would do is not shown. It moves no data.")
    asked, key, project = call.path["id"], call.body["accept"]["auth_key"], call.project
    new = Address(project, "volumes", new_key("volumes"))
    offer = _offered(call.world, asked, key)
    volume = call.world.id_of(offer.volume)

    def edits(world: CloudState) -> Edits:
        return _edits(world, _offered(world, asked, key).volume, new)

    edit_together(call.cloud, call.who, "accept volume", edits, lambda plan: _must_pass(plan, volume, new))
    return ApiReply(202, {"transfer": _brief(call, offer._replace(volume=new))})


def _edits(world: CloudState, old: Address, new: Address) -> Edits:
    volume = world.thing(old)
    if old.project == new.project:
        raise bad("Invalid volume: it belongs to this project already.")
    _must_be_unused(world, volume)
    _must_stand_alone(world, volume)
    said, known = entry_of(world.documents[old.project].content, "volumes", old.name), volume_notes.of(world, volume)
    kept = {name: known[name] for name in KEPT if name in known}
    pair = [str(old), str(new)]

    def given(content: Content) -> Content:
        return _passed(volume_notes.forget(remove(content, "volumes", old.name), old), world, pair)

    def taken(content: Content) -> Content:
        return _passed(volume_notes.note(new, **kept)(put(content, "volumes", new.name, said)), world, pair)

    return {old.project: given, new.project: taken}


def _passed(content: Content, world: CloudState, pair: list[str]) -> Content:
    """With this one, and without those that were carried out."""
    waiting = [one for one in content.get(PASSED, ()) if any(str(address) == one[0] for address in world.made)]
    return {**content, PASSED: [*waiting, pair]}


def _must_pass(plan: Plan, id_: str, new: Address) -> None:
    """What the plan does is to give it another name, and not to make another one. `id_` is what it has now."""
    keep, made = plan.keeps.get(new), (Action.CREATE, Action.REPLACE)
    is_same = new in plan.renames.values() and keep is not None and keep.leases.get("uuid") == id_
    if not is_same or any(one.address == new and one.action in made for one in plan.steps):
        raise conflict("The volume would be made anew in the other project. Nothing was done.")


def _must_be_free(call: Call, world: CloudState, volume: KnownResource) -> None:
    status = summary(call, world, volume)["status"]
    if status != "available":
        raise bad(f"Invalid volume: Volume status must be available, and {volume.id} is {status}.")
    _must_be_unused(world, volume)


def _must_be_unused(world: CloudState, volume: KnownResource) -> None:
    if volume.state is not ResourceStatus.MADE:
        raise bad(f"Invalid volume: {volume.id} is not made yet.")
    if users := world.users_of(volume.address):
        raise bad(f"Invalid volume: {volume.id} is in use by {world.id_of(users[0])}.")


def _must_stand_alone(world: CloudState, volume: KnownResource) -> None:
    """What it was made of may be below it on its disk, and is not the other project's to see."""
    origin = volume.model.from_
    if origin is not None and origin.backup:
        raise bad(f"Invalid volume: {volume.id} was made of a backup, which stays in its project.")
    below = [] if origin is None else [one for one in (origin.image, origin.snapshot, origin.volume) if one is not None]
    if mine := [one for one in below if one.project]:
        kind = mine[0].kind.removesuffix("s")
        raise bad(f"Invalid volume: {volume.id} was made of {kind} {world.id_of(mine[0])}, which stays in its project.")


def _every(world: CloudState) -> Iterator[VolumeTransfer]:
    for project, document in world.documents.items():
        for name in document.content.get("volumes", ()):
            volume = Address(project, "volumes", name)
            if offer := notes.of(document.content, volume_notes.note_of(volume)).get(TRANSFER):
                yield VolumeTransfer(volume, offer)


def _offered(world: CloudState, id_: str, key: str) -> VolumeTransfer:
    for one in _every(world):
        if one.said["id"] == id_:
            if not hmac.compare_digest(one.said["key"], _digest(key)):
                raise bad("Invalid auth key: it is not the one of this transfer.")
            return one
    raise not_found("Transfer", id_)


def _seen(call: Call) -> list[VolumeTransfer]:
    everywhere = call.caller.admin and call.flag("all_tenants")
    call.query = [(name, text) for name, text in call.query if name != "all_tenants"]
    return [one for one in _every(call.world) if everywhere or one.volume.project == call.caller.project]


def _own(call: Call) -> VolumeTransfer:
    for one in _every(call.world):
        if one.said["id"] == call.path["id"] and (call.caller.admin or one.volume.project == call.caller.project):
            return one
    raise not_found("Transfer", call.path["id"])


def _brief(call: Call, one: VolumeTransfer) -> dict[str, Any]:
    at = f"{call.root}{V}/{call.path['project']}/os-volume-transfer/{one.said['id']}"
    return {
        "id": one.said["id"],
        "volume_id": call.world.id_of(one.volume),
        "name": one.said["name"] or None,
        "links": [{"rel": "self", "href": at}, {"rel": "bookmark", "href": at.replace("/v3/", "/")}],
    }


def _detail(call: Call, one: VolumeTransfer) -> dict[str, Any]:
    return {**_brief(call, one), "created_at": moment(one.said["at"]).rstrip("Z") + ".000000"}


def _digest(key: str) -> str:
    """A key is long and random, so no slow hash is needed."""
    return hashlib.sha256(key.encode()).hexdigest()
