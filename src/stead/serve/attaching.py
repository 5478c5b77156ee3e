"""A volume comes to a server and goes: the edits, by whichever service they are asked for."""

from __future__ import annotations

from typing import Any

from stead.core.address import Address
from stead.serve.edits import Edit, change
from stead.serve.volume_notes import mode_of
from stead.serve.world import CloudState, KnownResource

DEVICES = [f"vd{letter}" for letter in "bcdefghijklmnopqrstuv"]


def attaching(world: CloudState, server: KnownResource, volume: KnownResource, device: str) -> Edit:
    if not volume.model.shareable:
        world.must_be_unused(volume, "Volume", but=snapshots_of(world, volume))
    key, name, asked = server.address.name, volume.address.name, device.removeprefix("/dev/")

    def edit(content: Any) -> Any:
        before = content["instances"][key].get("volumes", [])
        taken = {each.get("device") for each in before}
        device = asked if asked and asked not in taken else next(each for each in DEVICES if each not in taken)
        joined = {"volume": name, "device": device, **mode_of(content, volume.address)}
        return change(content, "instances", key, {"volumes": [*before, joined]})

    return edit


def snapshots_of(world: CloudState, volume: KnownResource) -> list[Address]:
    return [each for each in world.users_of(volume.address) if each.kind == "snapshots"]


def detaching(server: Address, volume: Address) -> Edit:
    def edit(content: Any) -> Any:
        before = content["instances"][server.name].get("volumes", [])
        left = [each for each in before if each["volume"] != volume.name]
        return change(content, "instances", server.name, {"volumes": left})

    return edit
