"""The files of an instance: its root disk over the cached image, extra disks, and the seed."""

from __future__ import annotations

import os

from ..base import paths
from ..base.errors import Failed
from ..hypervisor import seed
from ..hypervisor.driver import grows
from ..images import image_files
from . import attach, disk_files, pools


def ensure(want, work):
    root = want["root"]
    work.directory(os.path.join(paths.INSTANCES, want["uuid"]), paths.PASSABLE)
    attach.prepare(attached(want), work)
    if "volume" not in root and root.get("size"):
        _root(want, work)
    for name in ("swap", "ephemeral"):
        if root.get(name):
            _extra(pools.extra_path(want, name), root[name], name, work)
    if "cdrom" in want:
        image_files.standing(want["cdrom"], work)
    _seed(want, work)


def _seed(want, work):
    """It may hold secrets. libvirt gives it to the guest's user when the guest starts.

    One from which the disk was made stays when the spec has another: then a secret in it may be known here alone.
    """
    path = seed.path_of(want)
    if work.can_open(want["seed"]) or not os.path.exists(path):
        work.write(path, seed.volume(want, work.opened(want["seed"])))


def attached(want):
    """Volumes, that which it boots from among them."""
    root = want["root"].get("volume")
    return ([root] if root else []) + list(want.get("volumes", {}).values())


def let_go(before, want, work):
    """Of volumes that it had and has no more."""
    kept = {one["uuid"] for one in attached(want)}
    attach.leave([one for one in attached(before) if one["uuid"] not in kept], work)


def remove_root(want, work):
    """With all that lives and dies with it. Volumes are another matter."""
    if "volume" not in want["root"] and want["root"].get("size"):
        work.remove(pools.root_path(want))
    for name in ("swap", "ephemeral"):
        if want["root"].get(name):
            work.remove(pools.extra_path(want, name))


def remove(want, work):
    remove_root(want, work)
    attach.leave(attached(want), work)
    work.remove_tree(os.path.join(paths.INSTANCES, want["uuid"]))


def _root(want, work):
    path, size = pools.root_path(want), want["root"]["size"]
    if os.path.exists(path):
        return
    work.directory(os.path.dirname(path), paths.PASSABLE)
    if "image" not in want:
        _make(path, lambda new: disk_files.new_blank(new, "qcow2", size), work)
        return
    source, inside = image_files.standing(want["image"], work)
    if inside > size:
        text = "The disk of image {0} has {1} bytes, the root disk {2}. Give it a larger one."
        raise Failed(text.format(want["image"]["address"], inside, size))
    _make(path, lambda new: disk_files.new_overlay(new, source, size), work)


def _make(path, words, work):
    """Under its own name a disk is whole, so a run that was killed half way is no matter."""
    new = path + ".new"
    work.run(words(new))
    if not work.check:
        os.chmod(new, paths.PRIVATE)  # libvirt gives it to the guest's user when the guest starts
        os.replace(new, path)


def _extra(path, size, name, work):
    if not os.path.exists(path):
        work.directory(os.path.dirname(path), paths.PASSABLE)
        _make(path, lambda new: disk_files.new_blank(new, "raw", size), work)
        if name == "swap":
            work.run(["mkswap", path])


def grow_root(want, guest, work):
    """Larger, while the guest runs or not. Smaller is a rebuild, which is another step."""
    size = want["root"].get("size", 0)
    if "volume" in want["root"] or not size:
        return
    path = pools.root_path(want)
    if not os.path.exists(path) or disk_files.size_of(path, "qcow2") >= size:
        return
    if guest is not None and guest.is_on():
        grows(guest).grow(path, size, work)
    else:
        work.run(["qemu-img", "resize", "-q", "-f", "qcow2", path, str(size)])
