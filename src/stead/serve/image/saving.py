"""Images made of disks. A request registers one; a thread of the server reads the disk on its host, and puts the bytes.

It keeps no list: what it has to do stands in the documents, so a server that was killed begins anew. Where two servers
do the same, the one that ends first has done it.
"""

from __future__ import annotations

import contextlib
import logging
import re
import threading
import time
import uuid
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from stead.core.address import Address
from stead.core.diagnostics import Refused
from stead.core.named import NamedTuple
from stead.serve.cloud import Cloud
from stead.serve.edits import Content, Edit, Who, all_of, change, put, remove
from stead.serve.faults import Fault
from stead.serve.image.contents import became_image, sums_of
from stead.serve.image.images import QUEUED, V
from stead.serve.image.rotation import ROTATION, remove_file, surplus, without
from stead.serve.keys import new_key
from stead.serve.routes import ApiReply, Call

logger = logging.getLogger("stead.serve")
WHO = Who("stead serve", "")
SOON = 5.0  # seconds until what failed is tried again
LEFT = 86_400.0  # seconds after which nobody writes to a file any more
SAVING, FAILED, FIELDS, ENDING = "saving", "error", "image", ".qcow2"


class DiskToRegister(NamedTuple):
    """What an image is to be made of, and how it is called."""

    disk: Address
    name: Any
    properties: Mapping[str, str]
    size: int  # bytes of the disk
    rotation: int = 0  # how many of its kind are kept; 0: all


def register(call: Call, asked: DiskToRegister, **fields: Any) -> str:
    """The id that the image will have. Refused where a quota does not allow it."""
    key = new_key("images")
    said = {
        "name": asked.name,
        "disk_format": "qcow2",
        "container_format": "bare",
        "created": call.cloud.clock(),
        "min_disk": -(-asked.size >> 30),
        "properties": dict(asked.properties),
        SAVING: f"{asked.disk.kind}/{asked.disk.name}",
        FIELDS: {name: one for name, one in fields.items() if one},
        **({ROTATION: asked.rotation} if asked.rotation else {}),
    }
    if not call.preview:
        document = call.world.documents.get(call.project)
        every = {**_asked(document.content if document is not None else {}), key: said}
        call.cloud.preview(call.project, call.who, lambda content: _with_all(content, every, call.cloud, call.project))
    world = call.edit("make an image of a disk", lambda content: put(content, QUEUED, key, said))
    return world.id_of(Address(call.project, "images", key))


def registered(call: Call, id_: str) -> ApiReply:
    """Nova tells the image by the address alone."""
    return ApiReply(202, None, {"location": f"{call.root}{V}/images/{id_}"})


def _asked(content: Content) -> dict[str, Any]:
    return {key: said for key, said in content.get(QUEUED, {}).items() if SAVING in said and FAILED not in said}


def _with_all(content: Content, asked: Mapping[str, Any], cloud: Cloud, project: str) -> Content:
    """As if all that are being made were there already: together they must fit the quota."""
    for key, said in asked.items():
        path = cloud.means.uploads / project / f"{key}{ENDING}"
        content = put(content, "images", key, became_image(said, path, {"size": 0, "md5": "", "sha256": "0" * 64}))
    return content


def _remove_left(folder: Path, pattern: str) -> None:
    """What a server that was killed has left. Another one may be writing what is young."""
    for path in folder.glob(pattern):
        with contextlib.suppress(FileNotFoundError):
            if path.stat().st_mtime < time.time() - LEFT:
                path.unlink()


class DiskToSave(NamedTuple):
    project: str
    key: str
    said: Mapping[str, Any]

    @property
    def disk(self) -> Address:
        kind, _, name = str(self.said[SAVING]).partition("/")
        return Address(self.project, kind, name)


class ImageSaver:
    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud
        self._wake, self._stop = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._work, name="images", daemon=True)

    def start(self) -> None:
        _remove_left(self._cloud.means.uploads, "*/.*.new")
        self._wake.set()
        self._thread.start()

    def wake(self) -> None:
        self._wake.set()

    def stop(self) -> None:
        """What is being read is given up: the next server begins with it."""
        self._stop.set()
        self._wake.set()

    def _work(self) -> None:
        while not self._stop.is_set():
            self._wake.wait()
            self._wake.clear()
            try:
                for one in self._left():
                    self._save(one)
            except Exception:  # such as a store that is gone
                logger.exception("Images of disks are not made for now.")
                self._stop.wait(SOON)
                self._wake.set()

    def _left(self) -> Iterator[DiskToSave]:
        """One after the other: a project with many holds up hosts with one at a time. Each is tried once, until this is
        woken again: where a project cannot be planned, not even a failure can be written down.
        """
        tried: set[tuple[str, str]] = set()
        while not self._stop.is_set():
            documents = self._cloud.world().documents
            found = [
                DiskToSave(project, key, said)
                for project, one in documents.items()
                for key, said in _asked(one.content).items()
                if (project, key) not in tried
            ]
            if not found:
                return
            first = min(found, key=lambda one: one.said.get("created", 0.0))
            tried.add((first.project, first.key))
            yield first

    def _save(self, one: DiskToSave) -> None:
        """Into a file that no other server writes to: which of two ends first, the document decides."""
        folder = self._cloud.means.uploads / one.project
        path = folder / f"{one.key}-{uuid.uuid4().hex}{ENDING}"
        try:
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            _remove_left(folder, f"{one.key}-*{ENDING}")
            made = self._made(one, path)
        except Fault as fault:
            self._failed(one, str(fault))
        except Refused as error:
            logger.warning("image %s of %s/%s was not made: %s", one.key, one.project, one.said[SAVING], error)
            self._failed(one, _without_hosts(str(error)))
        except Exception:
            logger.exception("an image of %s could not be made", one.said[SAVING])
            self._failed(one, "a fault of the server's own")
        else:
            if made:
                return
        path.unlink(missing_ok=True)

    def _made(self, one: DiskToSave, path: Path) -> bool:
        """Whether it is an image now. Somebody may have deleted it meanwhile."""
        self._cloud.means.save_image(one.disk, path)
        entry = became_image(one.said, path, sums_of(path))
        gone: dict[str, str] = {}  # key -> file

        def edit(content: Content) -> Content:
            if one.key not in _asked(content):
                return content
            content = put(remove(content, QUEUED, one.key), "images", one.key, entry)
            gone.clear()
            gone.update(surplus(content, one.key, one.said.get(ROTATION, 0)))
            return all_of(*map(without, gone))(content)

        world = self._edit(one, "make an image of a disk", edit)
        for source in gone.values():
            remove_file(self._cloud.means.uploads / one.project, source)
        return any(thing.model.source == str(path) for thing in world.things("images", [one.project]))

    def _failed(self, one: DiskToSave, why: str) -> None:
        with contextlib.suppress(Fault, Refused):  # it was deleted, or its project cannot be planned
            self._edit(one, "fail an image", lambda content: change(content, QUEUED, one.key, {FAILED: why[:1000]}))

    def _edit(self, one: DiskToSave, what: str, edit: Edit) -> Any:
        return self._cloud.edit(one.project, WHO, what, edit)


def _without_hosts(error: str) -> str:
    """Names of hosts and files of the controller are the operators' business."""
    codes = ", ".join(dict.fromkeys(re.findall(r"STEAD-[A-Z][0-9]{3}", error)))
    return f"The disk could not be read ({codes}). The operators know more."
