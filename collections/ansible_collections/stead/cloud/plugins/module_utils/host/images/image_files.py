"""Images on this host: files named after their digest, and for each image a file that names the digest.

A file is never changed under its final name, and stays as long as an image or a disk uses it. An image with new
content gets another file, and old disks keep their base file.
"""

from __future__ import annotations

import json
import os
import re
import threading
from typing import Any, Dict, List, Mapping, Optional, Set, Tuple

from ..base import paths
from ..base.errors import Failed, FailureCode
from ..base.work import Work
from . import rootfs

NO_IMAGE = FailureCode("STEAD-E406", "an image is not on the host")
CHANGED_IMAGE = FailureCode("STEAD-E407", "an image has other content than planned")
BAD_DIGEST = FailureCode("STEAD-E408", "not a digest of a file")

READABLE = 0o644  # by guests' user, and by the server, which is nobody
# Between a file's coming and the word that it is used, nobody may tidy up.
changing = threading.Lock()
_SHA256 = re.compile(r"[0-9a-f]{64}\Z")


def content(want: Mapping[str, Any]) -> str:
    """As references to an image have it: where it was fetched from counts only where nobody gave a checksum."""
    return str(want.get("checksum") or want["source"])


def made_as(found: Mapping[str, Any], want: Mapping[str, Any]) -> bool:
    """Whether what is kept is this content, read as the want says."""
    own = {"content": content(want), "format": want["format"], "compression": want["compression"]}
    return {name: found.get(name) for name in own} == own


def facts(uuid: str) -> Optional[Dict[str, Any]]:
    """Which file it is, sha256, size, virtual size, and what it was made from; None when there is none."""
    data = paths.read_bytes(facts_path(uuid))
    return None if data is None else json.loads(data)


def facts_path(uuid: str) -> str:
    return os.path.join(paths.IMAGES, uuid + ".json")


def path_of(found: Mapping[str, Any]) -> str:
    return os.path.join(paths.IMAGES, found.get("file", ""))


def path_in_drive(reference: Mapping[str, Any]) -> str:
    """Of an iso. One that is not here yet, as in check mode, has no digest to be named after."""
    return path_of(facts(reference["uuid"]) or {"file": reference["uuid"] + ".iso"})


def is_whole(uuid: str) -> bool:
    found = facts(uuid)
    return found is not None and os.path.isfile(path_of(found))


def standing(reference: Mapping[str, Any], work: Work) -> Tuple[str, int]:
    """(path, virtual size) of what a disk is to be made from. The content counts where the reference has it; and only
    what was made here from an archive is a file system that a host mounts.

    In check mode it may be something that another step would fetch: nobody knows its size yet.
    """
    found = facts(reference["uuid"])
    if work.check and (found is None or reference.get("content") not in (None, found["content"])):
        return os.path.join(paths.IMAGES, reference["uuid"]), 0
    if found is None or not os.path.isfile(path_of(found)):
        raise Failed(
            NO_IMAGE,
            "Image {0} is not on this host yet. Plan again, and apply it with the resources that use it.".format(
                reference["address"]
            ),
        )
    unlike = bool(reference.get("rootfs")) and found.get("format") not in rootfs.UNPACKS
    if unlike or reference.get("content") not in (None, found["content"]):
        text = "Image {0} has other content on this host than planned, {1}. Plan again."
        raise Failed(CHANGED_IMAGE, text.format(reference["address"], found["content"]))
    return path_of(found), found["virtual_size"]


def name_of(sha256: str, form: str) -> str:
    if not _SHA256.match(sha256):
        raise Failed(
            BAD_DIGEST, "{0!r} is not a SHA-256 digest, so no file can be named after it. Plan again.".format(sha256)
        )
    return "{0}.{1}".format(sha256, "iso" if form == "iso" else "qcow2")


def keep(part: str, want: Mapping[str, Any], found: Mapping[str, Any]) -> None:
    """Under its final name, and then the word that this is the image."""
    os.chmod(part, READABLE)
    with changing:
        os.replace(part, os.path.join(paths.IMAGES, found["file"]))
        _tell(want, found)


def point(want: Mapping[str, Any], found: Mapping[str, Any]) -> bool:
    """To a file that is there already. False when it is not."""
    with changing:
        if not os.path.exists(path_of(found)):
            return False
        _tell(want, found)
        return True


def _tell(want: Mapping[str, Any], found: Mapping[str, Any]) -> None:
    own = {"content": content(want), "format": want["format"], "compression": want["compression"]}
    paths.write(facts_path(want["uuid"]), json.dumps(dict(found, **own), sort_keys=True), READABLE)


def any_kept(but: str) -> bool:
    """Whether there is another image than this one."""
    return any(name.endswith(".json") and name != but + ".json" for name in listed())


def listed() -> List[str]:
    return os.listdir(paths.IMAGES) if os.path.isdir(paths.IMAGES) else []


def files() -> Set[str]:
    return {name for name in listed() if name.endswith((".qcow2", ".iso")) and not name.startswith(".")}


def named() -> Set[str]:
    found = [facts(name[: -len(".json")]) for name in listed() if name.endswith(".json")]
    return {one["file"] for one in found if one is not None and "file" in one}
