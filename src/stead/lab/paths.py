"""Where a lab keeps its things on the machine: what must not be lost with it, and what may be built again."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from stead.lab.codes import BAD_PLACE, refuse

HOME = "/var/lib/stead-lab"
CACHE = "/var/cache/stead/lab"
GLOBAL_LOCK = Path("/run/lock/stead-lab.lock")
FORBIDDEN = set(":,\\ \n\"'")  # they end a field in mount options, in ssh's options or in nspawn's --bind


def home() -> Path:
    return checked(os.environ.get("STEAD_LAB_HOME") or HOME, "STEAD_LAB_HOME")


def cache() -> Path:
    return checked(os.environ.get("STEAD_LAB_CACHE") or CACHE, "STEAD_LAB_CACHE")


def checked(text: str, variable: str) -> Path:
    path = Path(text)
    if not path.is_absolute() or FORBIDDEN & set(text):
        refuse(BAD_PLACE, f"{variable} is {text!r}: give an absolute path without spaces, commas, colons or quotes.")
    return path


@dataclass(frozen=True, slots=True, kw_only=True)
class Rooms:
    """The paths of one lab, all below `top`, so that removing `top` removes the lab's files."""

    top: Path

    @property
    def layout(self) -> Path:
        return self.top / "lab.json"

    @property
    def lock(self) -> Path:
        return self.top / "lock"

    @property
    def key(self) -> Path:
        return self.top / "id_ed25519"

    @property
    def known_hosts(self) -> Path:
        return self.top / "known_hosts"

    @property
    def inventory(self) -> Path:
        return self.top / "inventory.yml"

    @property
    def fence_agent(self) -> Path:
        return self.top / "fence_lab"

    @property
    def sockets(self) -> Path:
        """Where ssh keeps its shared connections; short, since a socket's path has at most 108 characters."""
        return self.top / "ssh"

    def host(self, name: str) -> Path:
        return self.top / "hosts" / name


def rooms(lab: str) -> Rooms:
    return Rooms(top=home() / lab)
