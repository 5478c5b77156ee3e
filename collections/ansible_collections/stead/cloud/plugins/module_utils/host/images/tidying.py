"""Removes image files that are not needed: files of no image that no disk uses as its base.

It is called after a change of an image or an instance. If it cannot be sure, it removes nothing.
"""

from __future__ import annotations

import os
from typing import Set

from ..base import ledger, paths
from ..base.errors import Failed
from ..base.step import Want
from ..base.work import Work
from ..hypervisor import drivers as hypervisors
from ..storage import disk_files, drivers
from .image_files import changing, files, named


def tidy(work: Work) -> None:
    """Removes files that are no image's any more, and that nothing stands on. In check mode that is not known yet."""
    if work.check:
        return
    with changing:
        unnamed = files() - named()
        if not unnamed or _in_doubt():
            return
        used = _backings()
        if any(name.endswith(".iso") for name in unnamed):
            used.update(file for guest in hypervisors.guests(work.sessions) for file in guest.files())
        for name in sorted(unnamed):
            path = os.path.join(paths.IMAGES, name)
            if path not in used:
                work.remove(path)


def _in_doubt() -> bool:
    """Whether a root disk is not where it was made, as when its pool is not mounted: it stands on nobody knows what.

    An instance that is being removed loses its own directory next, and tidies up after that.
    """
    for made in ledger.everything("instances"):
        want, root = made["want"], made["want"].get("root", {})
        made_here = root.get("size") and "volume" not in root and os.path.isdir(_own_folder(want))
        if made_here and not drivers.root_disk(want).exists():
            return True
    return False


def _own_folder(want: Want) -> str:
    return os.path.join(paths.INSTANCES, want["uuid"])


def _backings() -> Set[str]:
    """What root disks are laid over, wherever their pools are."""
    return {
        _backing(os.path.join(at, name))
        for folder in _folders()
        for at, _folders_in_it, names in os.walk(folder)
        for name in names
        if name.endswith((".qcow2", ".new"))
    }


def _folders() -> Set[str]:
    """The pools that Stead makes are in one place; others are where the wants of this host's instances say."""
    found = {paths.INSTANCES, paths.POOLS}
    for made in ledger.everything("instances") + ledger.everything("instances", ledger.BEGUN):
        pool = made["want"].get("root", {}).get("pool")
        if pool and os.path.isdir(drivers.driver(pool).place(pool)):
            found.add(drivers.driver(pool).place(pool))
    return {one for one in found if not any(one != other and one.startswith(other + "/") for other in found)}


def _backing(path: str) -> str:
    try:
        return str(disk_files.header(path)["backing"])
    except (Failed, FileNotFoundError):  # no disk, or one that went away meanwhile
        return ""
