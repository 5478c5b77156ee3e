"""The tiny guest as a root file system for containers: the same programs without a kernel. Its seed is a directory."""

from __future__ import annotations

from pathlib import Path

from stead.lab.base import Base
from stead.lab.codes import IMAGE_FAILED
from stead.lab.commands import run
from stead.lab.image import tiny
from stead.lab.image.disk import unpack

INPUTS: tuple[str, ...] = ("container.py", "container_files", *tiny.INPUTS)
ENDING = "tar"
FILES = Path(__file__).with_name("container_files")
SCRIPTS = {"inittab": "etc/inittab", "rc": "etc/rc"}


def make(base: Base, work: Path) -> Path:
    root = tiny.add_system(base, unpack(base, tiny.PACKAGES, work / "parts"), work / "root")
    for name, target in SCRIPTS.items():
        tiny.put(root / target, (FILES / name).read_bytes(), mode=0o755)
    archive = work / "root.tar"
    run(["tar", "--create", "--numeric-owner", "--sort=name", "--file", archive, "-C", root, "."], code=IMAGE_FAILED)
    return archive
