"""The files of an instance: its root disk over the cached image, extra disks, and the seed."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, Dict, List, Mapping, Optional, Tuple

from ..base import ledger, paths
from ..base.errors import Failed, FailureCode
from ..base.step import Want
from ..base.work import Work
from ..hypervisor import seed
from ..hypervisor.driver import Guest, grows
from ..images import image_files
from . import drivers

if TYPE_CHECKING:
    from .driver import StoredDisk

TOO_SMALL = FailureCode("STEAD-E106", "the root disk cannot hold the image")
EXTRA = ("swap", "ephemeral")


def ensure(want: Want, work: Work) -> None:
    root = want["root"]
    work.directory(os.path.join(paths.INSTANCES, want["uuid"]), paths.PASSABLE)
    drivers.reach(attached(want), work)
    if "volume" not in root and root.get("size"):
        _root(want, work)
    for name in EXTRA:
        if root.get(name):
            _extra(want, name, work)
    if "cdrom" in want:
        image_files.standing(want["cdrom"], work)
    _seed(want, work)


def _seed(want: Want, work: Work) -> None:
    """It may hold secrets. libvirt gives it to the guest's user when the guest starts.

    One from which the disk was made stays when the spec has another: then a secret in it may be known here alone.
    """
    known = work.can_open(want["seed"])
    path = seed.path_of(want)
    if seed.has_volume(want) and (known or not os.path.exists(path)):
        work.write(path, seed.volume(want, work.opened(want["seed"])))
    for name, file in seed.in_firmware(want).items():
        if known or not os.path.exists(file):
            work.write(file, work.opened(want["seed"])[name])


def attached(want: Want) -> List[Mapping[str, Any]]:
    """Volumes, that which it boots from among them."""
    root = want["root"].get("volume")
    return ([root] if root else []) + list(want.get("volumes", {}).values())


def let_go(before: Want, want: Want, work: Work) -> None:
    """Of volumes that it had and has no more, or reaches in another way."""
    kept = {_reached(one) for one in attached(want)}
    _leave(want, [one for one in attached(before) if _reached(one) not in kept], work)


def _reached(one: Mapping[str, Any]) -> Tuple[str, str]:
    return one["uuid"], drivers.name_of(one["pool"])


def is_used_here(uuid: str, but: str = "") -> bool:
    """Whether an instance of this host has the volume, another than that one."""
    others = (made["want"] for made in ledger.everything("instances") if made["uuid"] != but)
    return any(uuid == one["uuid"] for want in others for one in attached(want))


def _leave(want: Want, gone: List[Mapping[str, Any]], work: Work) -> None:
    drivers.leave([one for one in gone if not is_used_here(one["uuid"], but=want["uuid"])], work)


def remove_root(want: Want, work: Work) -> None:
    """With all that lives and dies with it. Volumes are another matter."""
    for disk, _size in own(want).values():
        disk.remove(work)


def own(want: Want) -> Dict[str, Tuple[StoredDisk, int]]:
    """The disks that live and die with it, by their names, and their sizes."""
    root = want["root"]
    found = {name: (drivers.extra_disk(want, name), root[name]) for name in EXTRA if root.get(name)}
    if "volume" not in root and root.get("size"):
        found["root"] = (drivers.root_disk(want), root["size"])
    return found


def has_own(want: Want) -> bool:
    return any(disk.exists() for disk, _size in own(want).values())


def remove(want: Want, work: Work) -> None:
    remove_root(want, work)
    _leave(want, attached(want), work)
    work.remove_tree(os.path.join(paths.INSTANCES, want["uuid"]))


def _root(want: Want, work: Work) -> None:
    disk, size = drivers.root_disk(want), want["root"]["size"]
    if disk.exists():
        return
    if "image" not in want:
        disk.blank(size, work)
        return
    image, inside = image_files.standing(want["image"], work)
    if inside > size:
        text = "The disk of image {0} has {1} bytes, the root disk {2}. Give it a larger one."
        raise Failed(TOO_SMALL, text.format(want["image"]["address"], inside, size))
    make = drivers.driver(want["root"]["pool"]).root
    if make is None:
        raise drivers.unable(want["root"]["pool"], "it holds no root disks.")
    make(disk, image, size, work)


def _extra(want: Want, name: str, work: Work) -> None:
    disk = drivers.extra_disk(want, name)
    if not disk.exists():
        disk.blank(want["root"][name], work)
        if name == "swap":
            work.run(["mkswap", disk.path])


def grow_root(want: Want, guest: Optional[Guest], work: Work) -> None:
    """Larger, while the guest runs or not. Smaller is a rebuild, which is another step."""
    size = want["root"].get("size", 0)
    if "volume" in want["root"] or not size:
        return
    disk = drivers.root_disk(want)
    if not disk.exists() or disk.size() >= size:
        return
    runs = guest is not None and guest.is_on()
    if not runs or not drivers.driver(want["root"]["pool"]).held:
        disk.grow(size, work)
    if guest is not None and runs:
        grows(guest).grow(disk.path, size, work)
