"""Images: the controller fetches, checks and keeps; the hosts that use one take it from there over the underlay."""

from __future__ import annotations

import os
import threading
from typing import TYPE_CHECKING, Any, Callable, Dict, Mapping, Optional

from ..base import paths, units
from ..base.errors import Failed, FailureCode
from ..base.kind import HostKind, Seen
from ..base.step import HostStep
from ..base.work import Work
from ..images import fetching, image_files, rootfs, tidying, unpacking
from ..images.writing import Unwritable
from ..storage import disk_files

if TYPE_CHECKING:
    from ...wire.image import ImageWant, Keeper
    from ..observe.looking import Look

OTHER_IMAGE = FailureCode("STEAD-E413", "the controller has another image than planned")
NOT_KEPT = FailureCode("STEAD-E414", "an image cannot be kept")
OTHER_SIZE = FailureCode("STEAD-E415", "an image has another size than requested")

PORT = 7480
UNIT = "stead-images.service"
_serving = threading.Lock()


def ensure(step: HostStep, work: Work) -> None:
    want = step["want"]
    work.directory(paths.IMAGES, paths.PASSABLE)
    if not intact(want):
        work.act("fetch {0}".format(want["source"]), _bring, want, step)
        tidying.tidy(work)
    if want.get("keeps") and step.get("underlay"):
        _serve(step["underlay"], work)


def remove(step: HostStep, work: Work) -> None:
    """Disks that were left behind keep the file that they stand on: it goes when the last of them does."""
    work.remove(image_files.facts_path(step["uuid"]))
    part = _part(step["uuid"])
    for path in (part, part + ".new", part + ".etag"):
        work.remove(path)
    tidying.tidy(work)
    with _serving:  # images may go at once, and the last of them stops it
        if not image_files.any_kept(but=step["uuid"]):
            units.stop(UNIT, work)


def restore(step: HostStep, work: Work) -> None:
    if step["want"].get("keeps") and step.get("underlay"):
        _serve(step["underlay"], work)


def seen(step: HostStep, look: Look) -> Seen:
    want = step["want"]
    if not intact(want):
        return None
    unit = look.now.unit(UNIT) if want.get("keeps") else None
    return {"served": False} if want.get("keeps") and not (unit and unit.active) else {}


def intact(want: ImageWant) -> bool:
    if not image_files.is_whole(want["uuid"]):
        return False
    found = image_files.facts(want["uuid"])
    return found is not None and image_files.made_as(found, want) and want.get("size") in (None, found["virtual_size"])


def _part(uuid: str) -> str:
    return os.path.join(paths.IMAGES, ".{0}.part".format(uuid))


def _bring(want: ImageWant, step: HostStep) -> None:
    part = _part(want["uuid"])
    server = want.get("from")
    paths.remove(part + ".new")  # of a run that was killed
    try:
        if server and not want.get("keeps"):
            _from_keeper(want, server, step.get("kept"), part)
        else:
            found = _from_source(want, step.get("upload") or want["source"], part)
            image_files.keep(part, want, found)
    except Failed as error:
        # A download that broke off is gone on from; anything else begins anew.
        if isinstance(error, Unwritable) or not isinstance(error, fetching.Broke):
            _forget(part)
        raise
    except OSError as error:
        _forget(part)
        raise Failed(NOT_KEPT, "Cannot keep the image: {0}.".format(error.strerror)) from error
    paths.remove(part + ".etag")


def _forget(part: str) -> None:
    for path in (part, part + ".etag"):
        paths.remove(path)


def _from_keeper(want: ImageWant, server: Keeper, kept: Optional[Mapping[str, Any]], part: str) -> None:
    """What the file must be was `kept`'s to say, which came by SSH: whoever has the address answers on the port."""
    if kept is None:
        text = "{0} did not report the digest of its image {1}, so it cannot be checked. Plan again when it answers."
        raise Failed(OTHER_IMAGE, text.format(server["host"], want["name"]))
    found = dict(kept, file=image_files.name_of(kept["sha256"], want["format"]))
    if not image_files.made_as(found, want):
        text = "{0} has other content of {1} than planned, {2}. Plan again."
        raise Failed(OTHER_IMAGE, text.format(server["host"], want["name"], found.get("content")))
    if image_files.point(want, found):
        return
    fetching.fetch("http://{0}:{1}/{2}".format(server["server"], PORT, found["file"]), part, direct=True)
    fetching.verify(part, "sha256:" + found["sha256"], "What came from {0}".format(server["host"]))
    if _as_it_is(want):
        fetching.verify(part, want.get("checksum"), want["source"])
    disk_files.examine(part, "iso" if want["format"] == "iso" else "qcow2")
    image_files.keep(part, want, found)


def _as_it_is(want: ImageWant) -> bool:
    """Whether what is kept is byte for byte what was fetched, so that the user's checksum is its own."""
    return want["compression"] == "none" and want["format"] in ("qcow2", "iso")


def _from_source(want: ImageWant, source: str, part: str) -> Dict[str, Any]:
    fetching.fetch(source, part)
    fetching.verify(part, want.get("checksum"), want["source"])
    try:
        if want["compression"] != "none":
            _replaced(part, lambda new: unpacking.expand(part, want["compression"], new, want.get("size")))
        form = want["format"]
        if form in rootfs.UNPACKS:
            _replaced(part, lambda new: rootfs.build(part, want["format"], new, want.get("size")))
            form = "raw"
        size = disk_files.examine(part, form)
        if want.get("size") not in (None, size):
            text = "the disk in it has {0} bytes, but `size` says {1}. It is refused: correct one of them."
            raise Failed(OTHER_SIZE, text.format(size, want["size"]))  # noqa: TRY301 - told below, as all of them are
        if form not in ("qcow2", "iso"):
            _replaced(part, lambda new: disk_files.convert(part, form, new))
    except Failed as error:
        raise error.told_of(want["source"]) from error
    sha256 = fetching.digest(part)
    found = {"sha256": sha256, "size": os.path.getsize(part), "virtual_size": size}
    return dict(found, file=image_files.name_of(sha256, want["format"]))


def _replaced(part: str, make: Callable[[str], None]) -> None:
    new = part + ".new"
    try:
        make(new)
        os.replace(new, part)
    finally:
        paths.remove(new)


def _serve(address: str, work: Work) -> None:
    """Files under their final names only: the directory cannot be listed, and the server may read nothing else."""
    with _serving:
        settings = {"DynamicUser": "yes", "ProtectSystem": "strict", "ProtectHome": "yes", "NoNewPrivileges": "yes"}
        words = ["/usr/bin/python3", "-m", "http.server", str(PORT), "--bind", address, "--directory", paths.IMAGES]
        if not units.runs(UNIT, words, work):
            units.start(UNIT, "Images for the hosts of Stead", words, work, settings)


KIND = HostKind(ensure=ensure, remove=remove, seen=seen, restore=restore)
