"""One container: every operation on it. What it is made of is a file of ours; whether it runs, LXC says."""

from __future__ import annotations

import json
import os
import signal
import time
from typing import Any, List, Optional, Set

from ...base import commands, paths
from ...base.errors import Failed, FailureCode
from ...base.step import HostStep
from ...base.work import Work
from ...storage import drivers as storage
from ..driver import Json, Plugs
from . import config, limits, nics

NOT_STARTED = FailureCode("STEAD-E330", "a container does not start")
IN_USE = FailureCode("STEAD-E331", "a container's root file system is in use")
RUNS, PAUSED, OFF = "running", "paused", "stopped"
STATES = {"RUNNING": RUNS, "FROZEN": PAUSED}
STARTS_WITHIN = 60  # seconds
UNMOUNTS_WITHIN = 20
# What asks the first program of a container to end it, by the program's name; LXC's own word for others.
SHUT_DOWN = {"systemd": signal.SIGRTMIN + 3, "busybox": signal.SIGUSR2}
POWER_FAILS = signal.SIGPWR


def file_of(uuid: str) -> str:
    return os.path.join(config.home(uuid), "made.json")


def lxc(verb: str, uuid: str, *words: object) -> List[str]:
    return ["lxc-" + verb, "--lxcpath", config.FOLDER, "--name", uuid, *map(str, words)]


class Container:
    def __init__(self, made: Json) -> None:
        self.made = made

    @property
    def uuid(self) -> str:
        return str(self.made["want"]["uuid"])

    @property
    def name(self) -> str:
        return str(self.made["want"]["name"])

    def is_on(self) -> bool:
        return self._state() != OFF

    def cables(self) -> Set[str]:
        """Host's ends that may be plugged: of this definition, and of those before it while it runs."""
        return {device for device, _bridge in self.made["devices"].values()} | set(self.made.get("former", ()))

    def digest(self) -> str:
        return str(self.made["digest"])

    def start(self, work: Work) -> None:
        state = self._state()
        if state == PAUSED:
            work.run(lxc("unfreeze", self.uuid))
        elif state == OFF:
            work.act("start {0}".format(self.name), self._start)
            work.booted = True

    def pause(self, work: Work) -> None:
        """One that is off runs until it is frozen: LXC starts none that is."""
        if not self.is_on():
            self.start(work)
        if self._state() != PAUSED:
            work.run(lxc("freeze", self.uuid))

    def stop(self, patience: int, work: Work) -> None:
        if self.is_on():
            work.act("stop {0}".format(self.name), self._stop, patience)
        for place in (config.shown_seed_of(self.uuid), config.root_of(self.uuid)):
            if os.path.ismount(place):  # what served it was killed
                work.run(["umount", place])

    def undefine(self, work: Work) -> None:
        """Its own file goes last: until then it is here, and what is left of it is found."""
        if os.path.ismount(config.root_of(self.uuid)):
            text = "{0} is mounted. Stop what uses it, unmount it, and apply again."
            raise Failed(IN_USE, text.format(config.root_of(self.uuid)))
        work.remove_tree(config.seed_of(self.uuid))
        for path in (config.root_of(self.uuid), config.shown_seed_of(self.uuid), config.inner_of(self.uuid)):
            if os.path.isdir(path):
                work.act("remove {0}".format(path), os.rmdir, path)
        home = config.home(self.uuid)
        for path in (os.path.join(home, name) for name in sorted(os.listdir(home))):
            if path not in (file_of(self.uuid), config.inner_of(self.uuid)):
                work.remove(path)
        work.remove_tree(home)

    def adjust(self, step: HostStep, plugs: Plugs, work: Work) -> None:
        limits.adjust(step["want"], work)
        former = sorted(self.cables() - {plug.device for plug in plugs.values()})
        nics.adjust(step["want"], plugs, former, self._first_process(), work)
        work.write(file_of(self.uuid), json.dumps(dict(self.made, former=[]), sort_keys=True))

    def grow(self, disk: str, size: int, work: Work) -> None:
        work.act("grow {0} to {1} in use".format(disk, size), self._grow, disk, size)

    def files(self) -> Set[str]:
        return {storage.root_disk(self.made["want"]).path}

    def device_of(self, uuid: str, path: str) -> Optional[str]:
        """It has no volumes: only its root disk, which nothing but its own host may read while it is on."""
        return "root" if uuid == self.uuid + "-root" or path in self.files() else None

    def _state(self) -> str:
        status, out, _said = commands.attempt(lxc("info", self.uuid, "--state", "--no-humanize"))
        return STATES.get(out.strip(), OFF) if status == 0 else OFF

    def _first_process(self) -> int:
        told = commands.run(lxc("info", self.uuid, "--pid", "--no-humanize")).strip()
        if not told:
            raise Failed(NOT_STARTED, "{0} has ended meanwhile. Apply again.".format(self.name))
        return int(told)

    def _start(self) -> None:
        log = os.path.join(config.home(self.uuid), "lxc.log")
        paths.remove(log)
        status, _out, said = commands.attempt(lxc("start", self.uuid, "--daemon"), timeout=STARTS_WITHIN)
        if status:
            why = (paths.read_bytes(log) or said.encode()).decode(errors="replace")[-commands.TAIL :]
            raise Failed(NOT_STARTED, "{0} does not start. LXC says: {1}".format(self.name, why))

    def _stop(self, patience: int) -> None:
        if self._state() == PAUSED:
            commands.run(lxc("unfreeze", self.uuid))
        self._ask_to_end()
        words = lxc("wait", self.uuid, "--state", "STOPPED", "--timeout", patience)
        if commands.attempt(words, timeout=patience + 30)[0]:
            commands.run(lxc("stop", self.uuid, "--kill"))
        self._wait_for_unmount()

    def _ask_to_end(self) -> None:
        try:
            process = self._first_process()
            program = os.path.basename(os.readlink("/proc/{0}/exe".format(process)))
            os.kill(process, SHUT_DOWN.get(program, POWER_FAILS))
        except (OSError, Failed):  # it ended meanwhile
            pass

    def _wait_for_unmount(self) -> None:
        """Who starts it again, or moves its disk, must not find the old mount."""
        deadline = time.monotonic() + UNMOUNTS_WITHIN
        while os.path.ismount(config.root_of(self.uuid)) and time.monotonic() < deadline:
            time.sleep(0.05)

    def _grow(self, disk: str, size: int) -> None:
        if os.path.isfile(disk) and os.path.getsize(disk) < size:
            os.truncate(disk, size)
        device = commands.run(["findmnt", "-n", "-o", "SOURCE", config.root_of(self.uuid)]).strip()
        if device != disk:
            commands.run(["losetup", "--set-capacity", device])
        commands.run(["resize2fs", device])


def read(uuid: str) -> Optional[Container]:
    found = paths.read_bytes(file_of(uuid))
    return None if found is None else Container(json.loads(found))


def everything() -> List[Container]:
    names = sorted(os.listdir(config.FOLDER)) if os.path.isdir(config.FOLDER) else []
    found = (read(name) for name in names)
    return [one for one in found if one is not None]


def label(made: Json) -> Any:
    want = made["want"]
    found = {"address": made["address"], "uuid": want["uuid"], "digest": made["digest"]}
    return dict(found, site=made["site"]) if "site" in made else found
