"""An image of another project that is used: this project gets a copy of its own, which takes no room of its own.

The copy has the same bytes by a second name of the file. So what was made from an image goes on when its owner deletes
it or shares it no longer, and a project's document needs nothing of another project.
"""

from __future__ import annotations

import os
import uuid
from pathlib import Path

from stead.core.address import Address
from stead.core.named import NamedTuple
from stead.serve.edits import Content, Edit, put
from stead.serve.faults import bad, conflict, not_found
from stead.serve.image.images import COPY_OF
from stead.serve.image.sharing import INACTIVE, others, said_of
from stead.serve.keys import new_key
from stead.serve.routes import Call
from stead.serve.world import CloudState, KnownResource


class UsedImage(NamedTuple):
    """The image that is used, in the project's document."""

    key: str
    edit: Edit  # goes with what uses it


def used_image(call: Call, world: CloudState, id_: str) -> UsedImage:
    """Of its own, of the site, or of others who share it."""
    address = world.address("images", id_)
    if address is None:
        raise not_found("Image", id_)
    is_own = address.project in ("", call.project)
    if not is_own and (address.project, address.name) not in {
        (one.project, one.key) for one in others(world, call.project)
    }:
        raise not_found("Image", id_)
    if said_of(world, address.project, address.name).get(INACTIVE):
        raise bad(f"Image {id_[:80]} is not active.")
    if is_own:
        return UsedImage(address.name, lambda content: content)
    for mine in world.things("images", [call.project]):
        if mine.settings.labels.get(COPY_OF) == world.id_of(address):
            return UsedImage(mine.address.name, lambda content: content)
    return _copied(call, world, world.thing(address))


def _copied(call: Call, world: CloudState, thing: KnownResource) -> UsedImage:
    source, folder = Path(thing.model.source), call.cloud.means.uploads / call.project
    if not source.is_relative_to(call.cloud.means.uploads):
        raise conflict("Only images that were uploaded can be used by other projects.")
    path = folder / f"{COPY_OF}-{thing.id}-{uuid.uuid4().hex}{source.suffix}"
    if not call.preview:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        _link(source, path)
        call.made.append(path)
    document, key = world.documents[thing.address.project], new_key("images")
    entry = document.content["images"][thing.address.name]
    labels = {**entry.get("labels", {}), COPY_OF: thing.id}
    copy = {**entry, "source": str(path), "protect": None, "labels": labels}

    def edit(content: Content) -> Content:
        return put(content, "images", key, copy)

    return UsedImage(key, edit)


def _link(source: Path, path: Path) -> None:
    try:
        os.link(source, path)
    except FileNotFoundError as error:
        raise conflict("The image was deleted meanwhile.") from error


def told_id(world: CloudState, image: Address) -> str:
    """The id that its user asked for."""
    block = world.desired.get(image)
    return (block.settings.labels.get(COPY_OF) if block is not None else None) or world.id_of(image)
