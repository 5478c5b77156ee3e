"""System containers by LXC, unprivileged: the host's half of the driver `lxc`.

A host has it only if its role laid the directory down: that LXC is installed does not say that tenants may use it.
"""

from __future__ import annotations

import json
import os
import shutil
import threading
import zlib
from typing import Any, Dict, List, Optional, Set, Tuple, Type

from ..base import commands, ledger, paths
from ..base.errors import Failed, FailureCode
from ..base.sessions import Sessions
from ..base.step import HostStep, Want
from ..base.work import Work
from ..storage import drivers as storage
from . import seed
from .containers import config, guest, seen, trial
from .containers.guest import Container
from .driver import Guest, Json, Plugs, SeenGuest

NO_ROOTFS = FailureCode("STEAD-E332", "a container has no root file system to start from")
NO_BRIDGE = FailureCode("STEAD-E333", "a container cannot be in this network")
FULL = FailureCode("STEAD-E334", "this host has no identifiers left for a container")


_defining = threading.Lock()  # steps run side by side, and no two containers may have the same identifiers


class Lxc:
    def find(self, uuid: str) -> Optional[Guest]:
        return guest.read(uuid)

    def guests(self) -> List[Guest]:
        return [*guest.everything()]

    def check(self, want: Want) -> None:
        if not (want.get("image") or {}).get("rootfs"):
            text = "{0} has no image that is a root file system. Give it one of format tar or squashfs."
            raise Failed(NO_ROOTFS, text.format(want["name"]))

    def define(self, step: HostStep, plugs: Plugs, work: Work) -> Optional[Guest]:
        _refuse_switches(step["want"], plugs)
        with _defining:
            return self._defined(step, plugs, work)

    def _defined(self, step: HostStep, plugs: Plugs, work: Work) -> Optional[Guest]:
        want = step["want"]
        there = guest.read(want["uuid"])
        first = there.made["first"] if there is not None else _free(want["uuid"])
        devices = {key: [plug.device, plug.bridge] for key, plug in plugs.items()}
        made = dict(ledger.beside(step), address=step["address"], digest=step["digest"], want=want, first=first)
        made.update(devices=devices, former=_former(there, plugs))
        _inner(want["uuid"], first, work)
        _seed(want, first, work)
        # Who finds this knows it all; what LXC and its hooks read is there before.
        for path, text in _files(want, plugs, first).items():
            work.write(path, text, 0o700 if path.endswith("/hooks") else paths.PRIVATE)
        work.write(guest.file_of(want["uuid"]), json.dumps(made, sort_keys=True))
        return guest.read(want["uuid"])

    def seen(self) -> Dict[str, SeenGuest]:
        return seen.everything()

    def versions(self) -> Dict[str, str]:
        return {"lxc": commands.run(["lxc-start", "--version"]).strip()}


def _files(want: Want, plugs: Plugs, first: int) -> Dict[str, str]:
    home = config.home(want["uuid"])
    return {
        **config.bindings(want, plugs),
        os.path.join(home, "hooks"): config.hooks(want, plugs, storage.root_disk(want).path),
        os.path.join(home, "config"): config.build(want, plugs, first),
    }


def _former(there: Optional[Container], plugs: Plugs) -> List[str]:
    """Devices that are to be unplugged. One that is off has none: what is called so may be another's by now."""
    left = there.cables() - {plug.device for plug in plugs.values()} if there is not None else set()
    return sorted(left) if left and there is not None and there.is_on() else []


def _refuse_switches(want: Want, plugs: Plugs) -> None:
    for key, plug in sorted(plugs.items()):
        if plug.virtualport is not None:
            text = "{0}: containers are in networks of bridges only, and {1} is a switch. Use another driver for it."
            raise Failed(NO_BRIDGE, text.format(want["nics"][key].get("network", key), plug.bridge))


def _free(uuid: str) -> int:
    """The first identifier of a new container: of no other here, and mostly the same as the last time."""
    taken = {one.made["first"] for one in guest.everything()}
    count = (config.LAST - config.FIRST) // config.IDENTIFIERS
    start = zlib.crc32(uuid.encode())
    found = (config.FIRST + (start + at) % count * config.IDENTIFIERS for at in range(count))
    first = next((one for one in found if one not in taken), None)
    if first is None:
        raise Failed(FULL, "It has {0} containers, and runs no more. Move some to other hosts.".format(count))
    return first


def _inner(uuid: str, first: int, work: Work) -> None:
    work.directory(config.home(uuid), paths.PASSABLE)
    work.directory(config.inner_of(uuid))
    work.directory(config.root_of(uuid))
    work.directory(config.shown_seed_of(uuid))
    if not work.check:
        os.chown(config.inner_of(uuid), 0, first)
        os.chmod(config.inner_of(uuid), 0o710)  # noqa: S103 - for root of the container


def _seed(want: Want, first: int, work: Work) -> None:
    """Root of the container alone reads it. What it began with stays where the spec's secrets are not known."""
    folder = config.seed_of(want["uuid"])
    if os.path.isdir(folder) and not work.can_open(want["seed"]):
        return
    work.directory(folder, 0o500)
    wanted = _seeds(want, work)
    gone: Set[str] = set(os.listdir(folder) if os.path.isdir(folder) else ()) - wanted.keys()
    for name in sorted(gone):
        work.remove(os.path.join(folder, name))
    for name, data in wanted.items():
        if work.write(os.path.join(folder, name), data, 0o400) and not work.check:
            os.chown(os.path.join(folder, name), first, first)
    if not work.check:
        os.chown(folder, first, first)


def _seeds(want: Want, work: Work) -> Dict[str, bytes]:
    """Beside cloud-init's files one for those that have no cloud-init: keys, as sshd reads them."""
    opened = work.opened(want["seed"])
    keys = "".join(key + "\n" for key in opened.get("keys", [])).encode()
    return dict(seed.files(want, opened), authorized_keys=keys)


class LxcDriver:
    runs: Tuple[str, ...] = ("lxc",)
    guest: Type[Any] = Container

    def is_here(self) -> bool:
        return os.path.isdir(config.FOLDER) and shutil.which("lxc-start") is not None

    def open(self, _sessions: Sessions) -> Lxc:
        return Lxc()

    def console_log(self, uuid: str) -> str:
        return config.console_log(uuid)

    def trials(self) -> Dict[str, str]:
        return {"lxc": trial.run()} if self.is_here() else {}

    def depends_on(self) -> List[Any]:
        return [self.is_here()]

    def hardware(self) -> Json:
        return {}


DRIVER = LxcDriver()
