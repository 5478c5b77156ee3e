"""Builds guest images once and keeps them by what went into them, beside the base tree they are made from."""

from __future__ import annotations

import hashlib
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from stead.lab import paths
from stead.lab.base import Base
from stead.lab.base_cache import ensure_base, make_room
from stead.lab.commands import need, need_root
from stead.lab.image import container, debian, tiny
from stead.lab.locking import locked

ROOM = 3 * 2**30  # bytes while the larger image is built


class Recipe(Protocol):
    """What a module offers that makes an image."""

    ENDING: str
    INPUTS: tuple[str, ...]  # its files in this directory

    def make(self, base: Base, work: Path) -> Path: ...


RECIPES: dict[str, Recipe] = {"tiny": tiny, "debian": debian, "container": container}


def ensure_image(name: str, say: Callable[[str], None]) -> Path:
    """The image's path; built if it is not there, once even when two ask at the same time."""
    need_root()
    base = ensure_base(say)
    directory = paths.cache() / "images"
    image = directory / f"{name}-{key(RECIPES[name], base)}.{RECIPES[name].ENDING}"
    if not image.exists():
        need("mke2fs", "mount", "unshare", "cpio", "dpkg-deb")
        with locked(directory / f".{name}.lock"):
            if not image.exists():
                say(f"image {name}")
                make_room(directory, ROOM)
                build(RECIPES[name], base, image)
                prune(directory, name, keep=image)
    return image


def build(recipe: Recipe, base: Base, image: Path) -> None:
    work = Path(tempfile.mkdtemp(prefix=".building-", dir=image.parent))
    try:
        recipe.make(base, work).rename(image)
    finally:
        shutil.rmtree(work, ignore_errors=True)


def key(recipe: Recipe, base: Base) -> str:
    """The base tree's name tells its packages; the rest is in the files the recipe names."""
    digest = hashlib.sha256(base.top.name.encode())
    here = Path(__file__).parent
    for path in sorted(path for name in (*recipe.INPUTS, "disk.py") for path in (here / name, *here.glob(f"{name}/*"))):
        if path.is_file():
            digest.update(path.read_bytes())
    return digest.hexdigest()[:12]


def prune(directory: Path, name: str, keep: Path) -> None:
    """Older builds. Stead imports an image and never links to it, so nothing depends on the file."""
    for old in directory.glob(f"{name}-*{keep.suffix}"):
        if old != keep:
            old.unlink(missing_ok=True)
