"""Actions that change what is known of a volume, and nothing of it: read-only, bootable, reserved, words of images."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from stead.serve import volume_notes
from stead.serve.checking import checker
from stead.serve.faults import bad, not_found
from stead.serve.routes import FLAG, METADATA, NAME, ApiReply, Call, record, true
from stead.serve.volume_notes import ABOUT_IMAGE, BOOTABLE, READONLY, RESERVED, TRANSFER
from stead.serve.world import CloudState, KnownResource

MOST = 128  # words of one image
_CHECK_READONLY = checker(record(["readonly"], readonly=FLAG))
_CHECK_BOOTABLE = checker(record(["bootable"], bootable=FLAG))
_CHECK_WORDS = checker(record(["metadata"], metadata=METADATA))
_CHECK_WORD = checker(record(["key"], key=NAME))


def _note(call: Call, volume: KnownResource, **said: Any) -> None:
    call.edit("change volume", volume_notes.note(volume.address, **said))


def must_be_available(world: CloudState, volume: KnownResource) -> None:
    is_used = any(one.kind == "instances" for one in world.users_of(volume.address))
    known = volume_notes.of(world, volume)
    if is_used or known.get(RESERVED) or known.get(TRANSFER):
        raise bad(f"Invalid volume: Volume status must be available, and {volume.id} is in use, reserved or offered.")


def set_readonly(call: Call, world: CloudState, volume: KnownResource, said: Any) -> ApiReply:
    """From the next attachment on: the guest itself cannot write to it."""
    _CHECK_READONLY(said)
    must_be_available(world, volume)
    _note(call, volume, **{READONLY: true(said["readonly"])})
    return ApiReply(202)


def set_bootable(call: Call, _world: CloudState, volume: KnownResource, said: Any) -> ApiReply:
    _CHECK_BOOTABLE(said)
    _note(call, volume, **{BOOTABLE: true(said["bootable"])})
    return ApiReply()


def reserve(call: Call, world: CloudState, volume: KnownResource, _said: Any) -> ApiReply:
    must_be_available(world, volume)
    _note(call, volume, **{RESERVED: True})
    return ApiReply(202)


def unreserve(call: Call, world: CloudState, volume: KnownResource, _said: Any) -> ApiReply:
    if not volume_notes.of(world, volume).get(RESERVED):
        raise bad(f"Invalid volume: {volume.id} is not reserved.")
    _note(call, volume, **{RESERVED: None})
    return ApiReply(202)


def image_words(world: CloudState, volume: KnownResource) -> dict[str, str]:
    """Of the image that is on it, with what was said over it."""
    origin, said = volume.model.from_, volume_notes.of(world, volume).get(ABOUT_IMAGE, {})
    image = origin.image if origin is not None else None
    known = {}
    if image is not None and image in world.desired.by_address:
        known = {"image_id": world.id_of(image), "image_name": world.thing(image).name}
    return {name: one for name, one in {**known, **said}.items() if one is not None}


def show_image_words(_call: Call, world: CloudState, volume: KnownResource, _said: Any) -> ApiReply:
    return ApiReply(body={"metadata": image_words(world, volume)})


def set_image_words(call: Call, world: CloudState, volume: KnownResource, said: Any) -> ApiReply:
    _CHECK_WORDS(said)
    words = {**volume_notes.of(world, volume).get(ABOUT_IMAGE, {}), **said["metadata"]}
    if len(words) > MOST:
        raise bad(f"A volume has at most {MOST} words of its image.")
    _note(call, volume, **{ABOUT_IMAGE: words})
    return ApiReply(body={"metadata": {**image_words(world, volume), **said["metadata"]}})


def unset_image_word(call: Call, world: CloudState, volume: KnownResource, said: Any) -> ApiReply:
    _CHECK_WORD(said)
    key = said["key"]
    if key not in image_words(world, volume):
        raise not_found("Metadata item", key)
    _note(call, volume, **{ABOUT_IMAGE: {**volume_notes.of(world, volume).get(ABOUT_IMAGE, {}), key: None}})
    return ApiReply()


ACTIONS: Mapping[str, Callable[[Call, CloudState, KnownResource, Any], ApiReply]] = {
    "os-update_readonly_flag": set_readonly,
    "os-set_bootable": set_bootable,
    "os-reserve": reserve,
    "os-unreserve": unreserve,
    "os-show_image_metadata": show_image_words,
    "os-set_image_metadata": set_image_words,
    "os-unset_image_metadata": unset_image_word,
}
