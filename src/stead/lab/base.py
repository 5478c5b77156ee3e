"""The base tree every host of a lab is laid over: where its parts are, and what decides what is in it.

Two levels: `bare` is a Debian with sshd and Python, on which roles install everything themselves; `stock`, a layer over
it, has the roles' packages installed with their services off. `packages` is a repository of all of those, so that a
bare host installs without a way out. `base_cache` has it built once.
"""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path

RELEASE = "bookworm"
RECIPE = 2  # raise it when the build changes in a way that its inputs below do not show
MIRROR = "http://deb.debian.org/debian"
SECURITY = "http://deb.debian.org/debian-security"
PACKAGES = Path(__file__).with_name("packages")


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
