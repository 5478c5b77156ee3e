"""Volumes in pools that are directories of this host. What is on them outlives instances, and is never touched here."""

from __future__ import annotations

import os
from xml.etree import ElementTree as Xml

from . import disk_files, image_files, ledger, places, pools, running, snapshot
from .failing import Failed


def ensure(step, work):
    want = step["want"]
    path = pools.volume_path(want)
    if not os.path.exists(path):
        _make(want, path, work)
    size = disk_files.size_of(path, want["format"]) if os.path.exists(path) else want["size"]
    if size > want["size"]:
        text = "{0} has {1} bytes, more than the {2} that are wanted. A volume is never cut."
        raise Failed(text.format(path, size, want["size"]))
    if size < want["size"]:
        _grow(want, path, work)


def remove(step, work):
    made = ledger.read("volumes", step["uuid"])
    want = made["want"] if made else step.get("have")
    if want is None:
        return
    path = pools.volume_path(want)
    users = [domain.name() for domain in users_of(path, work)] if os.path.exists(path) else []
    if users:
        raise Failed("{0} is still attached to {1}.".format(path, ", ".join(users)))
    work.remove(path)


def intact(want):
    return os.path.exists(pools.volume_path(want))


def users_of(path, work):
    """Domains on this host that have the file as a disk. A storage host has no libvirt, and so none."""
    if not os.path.exists("/run/libvirt/libvirt-sock"):
        return []
    return [
        domain
        for domain in work.connection.listAllDomains()
        if any(source.get("file") == path for source in Xml.fromstring(domain.XMLDesc(0)).iter("source"))
    ]


def _make(want, path, work):
    """Under its own name a volume is whole."""
    work.directory(os.path.dirname(path), places.PASSABLE)
    new, origin = path + ".new", want.get("origin")
    if not origin:
        work.run(disk_files.new_blank(new, want["format"], want["size"]))
    else:
        source, form, extra = _origin(origin, want["size"], work)
        words = ["qemu-img", "convert", "-q"] + extra + ["-f", form, "-O", want["format"], source, new]
        work.run(words, timeout=disk_files.CONVERTS_WITHIN)
    if not work.check:
        os.replace(new, path)


def _origin(origin, size, work):
    if "image" in origin:
        source, inside = image_files.standing(origin["image"], work)
        if inside > size:
            text = "The disk of image {0} has {1} bytes, the volume {2}. Give it a larger one."
            raise Failed(text.format(origin["image"]["address"], inside, size))
        return source, "qcow2", []
    if "snapshot" in origin:
        one = origin["snapshot"]
        return snapshot.path_of(one["pool"], one["uuid"]), "qcow2", []
    one = origin["volume"]
    made = ledger.read("volumes", one["uuid"])
    if made is None:
        raise Failed("Volume {0} is not on this host, so it cannot be copied here.".format(one["address"]))
    path = pools.volume_path(made["want"])
    if [domain for domain in users_of(path, work) if domain.isActive()]:
        raise Failed("Volume {0} is in use. Take a snapshot of it and copy that.".format(one["address"]))
    return path, made["want"]["format"], []


def _grow(want, path, work):
    active = [domain for domain in users_of(path, work) if domain.isActive()] if os.path.exists(path) else []
    if active:
        work.act("grow {0} to {1} in use".format(path, want["size"]), active[0].blockResize, path, want["size"], 1)
    elif os.path.exists(path):
        work.run(["qemu-img", "resize", "-q", "-f", want["format"], path, str(want["size"])], timeout=running.PATIENCE)
