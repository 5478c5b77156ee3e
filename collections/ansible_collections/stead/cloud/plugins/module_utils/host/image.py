"""Images: the controller fetches, checks and keeps; the hosts that use one take it from there over the underlay.

Under its final name a file is whole, checked, and never written to again: root disks are laid over it.
"""

from __future__ import annotations

import json
import os
import threading

from . import disk_files, fetching, ledger, places, units
from .failing import Failed

PORT = 7480
UNIT = "stead-images.service"
READABLE = 0o644  # by guests' user, and by the server, which is nobody
_serving = threading.Lock()


def ensure(step, work):
    want = step["want"]
    path = path_of(want["uuid"], want["format"])
    work.directory(places.IMAGES, places.PASSABLE)
    _let_go_of_another(want, path, work)
    if facts(want["uuid"]) is None or not os.path.exists(path):
        work.act("fetch {0} to {1}".format(want["source"], path), _bring, want, step, path)
    if want.get("keeps") and step.get("underlay"):
        _serve(step["underlay"], work)


def _let_go_of_another(want, path, work):
    """The same image with another content. What stands on the old one would be spoilt, so that stays as it is."""
    made = ledger.read("images", want["uuid"])
    if made is None or _content(made["want"]) == _content(want) or facts(want["uuid"]) is None:
        return
    users = _users(path)
    if users:
        text = (
            "{0} has another content now, and these disks stand on the old one: {1}. Give the new image another name."
        )
        raise Failed(text.format(want["name"], ", ".join(users)))
    work.remove(_facts_path(want["uuid"]))
    work.remove(path)


def _content(want):
    """As references to an image have it: where it was fetched from counts only where nobody gave a checksum."""
    return want.get("checksum") or want["source"]


def remove(step, work):
    uuid = step["uuid"]
    for form in ("qcow2", "iso"):
        path = path_of(uuid, form)
        users = _users(path)
        if users:
            raise Failed("{0} is still used by {1}.".format(path, ", ".join(users)))
        work.remove(path)
    work.remove(_facts_path(uuid))
    if not [name for name in _listed() if name.endswith(".json")]:
        units.stop(UNIT, work)


def restore(step, work):
    if step["want"].get("keeps") and step.get("underlay"):
        _serve(step["underlay"], work)


def intact(want):
    return os.path.exists(path_of(want["uuid"], want["format"])) and facts(want["uuid"]) is not None


def path_of(uuid, form="qcow2"):
    return os.path.join(places.IMAGES, "{0}.{1}".format(uuid, "iso" if form == "iso" else "qcow2"))


def facts(uuid):
    """sha256, size and virtual size of what is kept; None when it is not whole."""
    data = places.read_bytes(_facts_path(uuid))
    return None if data is None else json.loads(data)


def _facts_path(uuid):
    return os.path.join(places.IMAGES, uuid + ".json")


def _listed():
    return os.listdir(places.IMAGES) if os.path.isdir(places.IMAGES) else []


def _bring(want, step, path):
    part = os.path.join(places.IMAGES, ".{0}.part".format(want["uuid"]))
    server = want.get("from")
    try:
        if server and not want.get("keeps"):
            found = _from_keeper(want, server, part)
        else:
            found = _from_source(want, step.get("upload") or want["source"], part)
        os.chmod(part, READABLE)
        places.write(_facts_path(want["uuid"]), json.dumps(found, sort_keys=True), READABLE)
        os.replace(part, path)
    except Failed:
        # A download that broke off is gone on from; anything else begins anew.
        if not os.path.exists(part + ".etag"):
            places.remove(part)
        raise
    except OSError as error:
        places.remove(part)
        raise Failed("Cannot keep the image: {0}.".format(error.strerror)) from error
    places.remove(part + ".etag")


def _from_keeper(want, server, part):
    base = "http://{0}:{1}/{2}".format(server["server"], PORT, want["uuid"])
    places.remove(part)
    fetching.fetch(base + ".json", part)
    with open(part, encoding="utf-8") as file:
        found = json.load(file)
    places.remove(part)
    fetching.fetch(base + (".iso" if want["format"] == "iso" else ".qcow2"), part)
    fetching.verify(part, "sha256:" + found["sha256"], "What came from {0}".format(server["host"]))
    if _as_it_is(want):
        fetching.verify(part, want.get("checksum"), want["source"])
    disk_files.examine(part, "iso" if want["format"] == "iso" else "qcow2")
    return found


def _as_it_is(want):
    """Whether what is kept is byte for byte what was fetched, so that the user's checksum is its own."""
    return want["compression"] == "none" and want["format"] in ("qcow2", "iso")


def _from_source(want, source, part):
    fetching.fetch(source, part)
    try:
        fetching.verify(part, want.get("checksum"), want["source"])
        if want["compression"] != "none":
            _replaced(part, lambda new: fetching.expand(part, want["compression"], new))
        size = disk_files.examine(part, want["format"])
        if want.get("size") not in (None, size):
            text = "The disk in {0} has {1} bytes, but `size` says {2}. It is refused: correct one of them."
            raise Failed(text.format(want["source"], size, want["size"]))  # noqa: TRY301 - told below, as all of them are
        if want["format"] not in ("qcow2", "iso"):
            _replaced(part, lambda new: disk_files.convert(part, want["format"], new))
    except Failed:
        places.remove(part)
        places.remove(part + ".etag")
        raise
    return {"sha256": fetching.digest(part), "size": os.path.getsize(part), "virtual_size": size}


def _replaced(part, make):
    new = part + ".new"
    try:
        make(new)
        os.replace(new, part)
    finally:
        places.remove(new)


def _users(path):
    """Root disks that are laid over the image: they would be lost with it."""
    found = []
    for folder in (places.INSTANCES, places.POOLS):
        for at, _folders, names in os.walk(folder):
            for name in names:
                if name.endswith(".qcow2"):
                    disk = os.path.join(at, name)
                    if disk_files.header(disk)["backing"] == path:
                        found.append(disk)
    return found


def _serve(address, work):
    """Files under their final names only: the directory cannot be listed, and the server may read nothing else."""
    with _serving:
        if units.is_active(UNIT):
            return
        settings = {"DynamicUser": "yes", "ProtectSystem": "strict", "ProtectHome": "yes", "NoNewPrivileges": "yes"}
        words = ["/usr/bin/python3", "-m", "http.server", str(PORT), "--bind", address, "--directory", places.IMAGES]
        units.start(UNIT, "Images for the hosts of Stead", words, work, settings)
