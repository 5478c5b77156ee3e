"""The bytes of images, up and down."""

from __future__ import annotations

import hashlib
import os
import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from stead.serve.edits import Content, put, remove
from stead.serve.faults import TOO_LARGE, Fault, bad, conflict, forbidden
from stead.serve.image.images import FORMATS, QUEUED, find_own, visible_one, waiting_one
from stead.serve.routes import ApiReply, Call


def upload(call: Call) -> ApiReply:
    """`call.raw` is where the server has put the bytes; they get their name only when the document has them."""
    world, project = call.world, call.project
    one = waiting_one(call, world)
    if one is None:
        find_own(call, world)
        raise conflict("The image has its bytes already.")
    if "saving" in one.said:
        raise conflict("The image is made of a disk.")
    said, key = one.said, one.key
    format_ = said.get("disk_format")
    if format_ not in FORMATS or said.get("container_format", "bare") != "bare":
        raise bad(f"disk_format is one of {', '.join(FORMATS)}, and container_format is bare.")
    place = Path(call.raw.decode())
    sums = sums_of(place)
    folder = call.cloud.means.uploads / project
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    path = folder / f"{uuid.uuid4().hex}.{format_}"
    os.replace(place, path)  # noqa: PTH105 - both are paths of ours
    entry = became_image(said, path, sums)

    def edit(content: Content) -> Content:
        return put(remove(content, QUEUED, key), "images", key, entry)

    try:
        call.edit(f"upload image {said.get('name') or key}", edit)
    except BaseException:
        path.unlink(missing_ok=True)
        raise
    return ApiReply(204)


def became_image(said: Mapping[str, Any], path: Path, sums: Mapping[str, Any]) -> dict[str, Any]:
    """What was registered, with its bytes."""
    return {
        **said.get("image", {}),
        "source": str(path),
        "checksum": f"sha256:{sums['sha256']}",
        "format": FORMATS[said["disk_format"]],
        "display_name": said.get("name"),
        "tags": said.get("tags") or None,
        "protect": said.get("protected") or None,
        "properties": said.get("properties") or None,
        "min_disk": f"{said['min_disk']}GiB" if said.get("min_disk") else None,
        "min_memory": f"{said['min_ram']}MiB" if said.get("min_ram") else None,
        "labels": {"size": str(sums["size"]), "md5": str(sums["md5"])},
    }


def sums_of(path: Path) -> dict[str, Any]:
    sha, md5, size = hashlib.sha256(), hashlib.md5(usedforsecurity=False), 0
    with path.open("rb") as file:
        while chunk := file.read(1 << 20):
            sha.update(chunk)
            md5.update(chunk)
            size += len(chunk)
    if not size:
        raise bad("The image has no bytes.")
    return {"sha256": sha.hexdigest(), "md5": md5.hexdigest(), "size": size}


def download(call: Call) -> ApiReply:
    world = call.world
    told = visible_one(call, world)
    if told["status"] == "deactivated" and not call.caller.admin:
        raise forbidden("The requested image has been deactivated. Image data download is forbidden.")
    address = world.address("images", told["id"])
    if address is None:
        return ApiReply(204)
    thing = world.thing(address)
    path = Path(thing.model.source)
    if not path.is_relative_to(call.cloud.means.uploads):
        raise forbidden("Only images that were uploaded can be downloaded.")
    if path.stat().st_size > 1 << 30:
        raise Fault(413, TOO_LARGE.id, "Images above 1 GiB are not sent yet.")
    return ApiReply(200, path.read_bytes(), {"content-md5": thing.settings.labels.get("md5", "")})
