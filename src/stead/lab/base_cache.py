"""Base trees, built once, cached by what is in them, and shared by all labs.

Two builders at once are safe: one builds under the lock, the other then uses it.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable
from pathlib import Path

from stead.lab import build_base, paths
from stead.lab.base import RELEASE, Base, key
from stead.lab.codes import NO_SPACE, refuse
from stead.lab.commands import need
from stead.lab.locking import locked

STALE_AFTER = 30 * 24 * 3600  # seconds: a month of security updates is the most to miss
UNUSED_AFTER = 7 * 24 * 3600
SPACE = 4 * 2**30  # bytes a build needs: trees, packages and the overlay while it grows


def ensure_base(say: Callable[[str], None]) -> Base:
    """The base tree for today's recipe, built if it is not there or too old."""
    stem = f"base-{RELEASE}-{key()}"
    with locked(paths.cache() / f".{stem}.lock"):
        found = newest(stem)
        if found is None:
            need("mmdebstrap", "systemd-nspawn", "unshare", "mount", "dpkg-deb")
            make_room(paths.cache(), SPACE)
            found = build_beside(paths.cache() / stem, lambda top: build_base.build(Base(top=top), say))
            prune(keep=found)
        (found / "made.json").touch()
    return Base(top=found)


def newest(stem: str) -> Path | None:
    """The youngest complete tree of this recipe, unless even that is too old."""
    made = [(float(top.name.rsplit("-", 1)[1]), top) for top in paths.cache().glob(f"{stem}-*")]
    young = [one for one in made if time.time() - one[0] < STALE_AFTER]
    return max(young)[1] if young else None


def build_beside(stem: Path, build: Callable[[Path], None]) -> Path:
    """Build under another name and rename, so that nobody ever sees half a tree; the caller holds the lock."""
    new = stem.with_name(f".{stem.name}.new")
    shutil.rmtree(new, ignore_errors=True)  # left by a build that was killed
    new.mkdir(parents=True)
    try:
        build(new)
    except BaseException:
        shutil.rmtree(new, ignore_errors=True)
        raise
    (new / "made.json").write_text("{}\n", encoding="utf-8")
    return new.rename(stem.with_name(f"{stem.name}-{int(time.time())}"))


def prune(keep: Path) -> None:
    """Trees that no lab stands on and nobody used for a week. A tree's name never changes, so a lab's stays its own."""
    used = {link.resolve() for link in paths.home().glob("*/base")} | {keep}
    for top in paths.cache().glob("base-*"):
        mark = top / "made.json"
        if top not in used and (not mark.exists() or time.time() - mark.stat().st_mtime > UNUSED_AFTER):
            shutil.rmtree(top, ignore_errors=True)


def make_room(directory: Path, wanted: int) -> None:
    free = shutil.disk_usage(directory).free
    if free < wanted:
        refuse(
            NO_SPACE,
            f"{directory} has {free // 2**20} MiB left and {wanted // 2**20} MiB are needed. Free some, or choose"
            " another place with STEAD_LAB_CACHE (trees and images) and STEAD_LAB_HOME (hosts).",
        )
