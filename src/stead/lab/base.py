"""The base tree every host of a lab is laid over: built once, cached by what is in it, shared by all labs.

Two levels: `bare` is a Debian with sshd and Python, on which roles install everything themselves; `stock`, a layer over
it, has the roles' packages installed with their services off. `packages` is a repository of all of those, so that a
bare host installs without a way out. Two builders at once are safe: one builds under the lock, the other then uses it.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import shutil
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from stead.lab import paths
from stead.lab.codes import NO_SPACE, refuse
from stead.lab.commands import need

RELEASE = "bookworm"
RECIPE = 2  # raise it when the build changes in a way that its inputs below do not show
MIRROR = "http://deb.debian.org/debian"
SECURITY = "http://deb.debian.org/debian-security"
STALE_AFTER = 30 * 24 * 3600  # seconds: a month of security updates is the most to miss
PACKAGES = Path(__file__).with_name("packages")
UNUSED_AFTER = 7 * 24 * 3600
SPACE = 4 * 2**30  # bytes a build needs: trees, packages and the overlay while it grows


@dataclass(frozen=True, slots=True, kw_only=True)
class Base:
    top: Path

    @property
    def bare(self) -> Path:
        return self.top / "bare"

    @property
    def stock(self) -> Path:
        return self.top / "stock"

    @property
    def packages(self) -> Path:
        return self.top / "packages"

    def layers(self, level: str) -> tuple[Path, ...]:
        """The overlay's lower directories, the uppermost first."""
        return (self.bare,) if level == "bare" else (self.stock, self.bare)


def mirror() -> str:
    return os.environ.get("STEAD_LAB_MIRROR") or MIRROR


def key() -> str:
    """Everything that decides what is in the tree. Another key is another tree, beside the old one."""
    inputs = [Path(__file__).with_name("build_base.py"), *sorted(PACKAGES.iterdir())]
    digest = hashlib.sha256(f"{RECIPE} {RELEASE} {mirror()}".encode())
    for path in inputs:
        digest.update(path.read_bytes())
    return digest.hexdigest()[:12]


def packages(level: str) -> list[str]:
    """The packages of one list: bare, stock, offered or guest."""
    lines = (PACKAGES / f"{level}.txt").read_text(encoding="utf-8").splitlines()
    return [name for name in (line.partition("#")[0].strip() for line in lines) if name]


def ensure_base(say: Callable[[str], None]) -> Base:
    """The base tree for today's recipe, built if it is not there or too old."""
    stem = f"base-{RELEASE}-{key()}"
    with locked(paths.cache() / f".{stem}.lock"):
        found = newest(stem)
        if found is None:
            need("mmdebstrap", "systemd-nspawn", "unshare", "mount", "dpkg-deb")
            from stead.lab.build_base import build

            make_room(paths.cache(), SPACE)
            found = build_beside(paths.cache() / stem, lambda top: build(Base(top=top), say))
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


@contextlib.contextmanager
def locked(path: Path) -> Iterator[None]:
    """Only one at a time; the kernel lets go when the holder dies, and what it ran with it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8") as held:
        take(held)
        yield


def take(held: IO[str]) -> None:
    """The commands that are run have the lock too (`commands.run`): who is killed leaves one at work, and that may not
    go on beside whoever comes next."""
    os.set_inheritable(held.fileno(), True)
    fcntl.flock(held, fcntl.LOCK_EX)
