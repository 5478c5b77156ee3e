"""The hosts' half: Cloud Hypervisor, each guest a transient unit of systemd.

What a guest is made of is a file of ours; whether it runs, systemd says. It has no operation that a guest may be
without: a change of one that runs is refused, and asks for a restart.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any, Dict, List, Mapping, Optional, Set, Tuple, Type

from ansible_collections.stead.cloud.plugins.module_utils.host.base import commands, ledger, paths
from ansible_collections.stead.cloud.plugins.module_utils.host.base.errors import Failed
from ansible_collections.stead.cloud.plugins.module_utils.host.base.sessions import Sessions
from ansible_collections.stead.cloud.plugins.module_utils.host.base.step import HostStep, Want
from ansible_collections.stead.cloud.plugins.module_utils.host.base.work import Work
from ansible_collections.stead.cloud.plugins.module_utils.host.hypervisor import seed
from ansible_collections.stead.cloud.plugins.module_utils.host.hypervisor.driver import Json, Plugs
from ansible_collections.stead.cloud.plugins.module_utils.host.storage import drivers as storage

NAME = "cloud-hypervisor"
FIRMWARE = "/usr/share/cloud-hypervisor/hypervisor-fw"


def folder() -> str:
    return paths.ROOT + "/" + NAME


class Machine:
    """Its file: the ledger's entry, the taps of its interfaces, and the command that runs it."""

    def __init__(self, made: Json) -> None:
        self._made = made

    @property
    def uuid(self) -> str:
        return str(self._made["want"]["uuid"])

    @property
    def name(self) -> str:
        return str(self._made["want"]["name"])

    @property
    def state(self) -> str:
        return "running" if self.is_on() else "stopped"

    def is_on(self) -> bool:
        return commands.attempt(["systemctl", "is-active", "--quiet", self._unit()])[0] == 0

    def digest(self) -> str:
        return str(self._made["digest"])

    def start(self, work: Work) -> None:
        if self.is_on():
            return
        for tap, bridge in self._made["taps"]:
            if tap not in work.now.links():
                work.run(["ip", "tuntap", "add", tap, "mode", "tap"])
            work.run(["ip", "link", "set", tap, "master", bridge, "up"])
        log = "--property=StandardOutput=append:" + DRIVER.console_log(self.uuid)
        work.run(["systemd-run", "--unit=" + self._unit(), "--collect", log, *self._made["argv"]])
        work.booted = True

    def stop(self, _patience: int, work: Work) -> None:
        if self.is_on():
            work.run(["systemctl", "stop", self._unit()])

    def undefine(self, work: Work) -> None:
        work.remove(_file(self.uuid))

    def files(self) -> Set[str]:
        return set(self._made["disks"].values())

    moving = False  # it stays where it is

    def device_of(self, uuid: str, path: str) -> Optional[str]:
        return next((key for key, file in self._made["disks"].items() if key == uuid or file == path), None)

    def label(self) -> Dict[str, str]:
        return {"address": self._made["address"], "uuid": self.uuid, "digest": self.digest()}

    def told(self) -> Json:
        return dict(self._made, **self.label())

    def fields(self, _want: Want) -> Json:
        return dict(self._made["want"], state=self.state)

    def amounts(self) -> Json:
        want = self._made["want"]
        return {name: want[name] for name in ("vcpus", "max_vcpus", "memory", "max_memory")}

    def _unit(self) -> str:
        return "stead-ch-{0}.service".format(self.uuid)


class CloudHypervisor:
    def find(self, uuid: str) -> Optional[Machine]:
        found = paths.read_bytes(_file(uuid))
        return None if found is None else Machine(json.loads(found))

    def guests(self) -> List[Machine]:
        found = [self.find(path.stem) for path in sorted(Path(folder()).glob("*.json"))]
        return [one for one in found if one is not None]

    def check(self, want: Want) -> None:
        filtered = sorted(key for key, nic in want["nics"].items() if nic["filtered"])
        if filtered:
            text = "{0}: nothing filters interfaces of guests by {1}. Write `port_security: false`."
            raise Failed(text.format(", ".join(filtered), NAME))

    def define(self, step: HostStep, plugs: Plugs, work: Work) -> Optional[Machine]:
        want = step["want"]
        disks = _disks(want)
        made = {
            "address": step["address"], "digest": step["digest"], "want": want, "disks": disks,
            "taps": [[plug.device, plug.bridge] for plug in plugs.values()],
            "argv": _argv(want, list(disks.values()), plugs), **ledger.beside(step),
        }  # fmt: skip
        work.directory(folder())
        work.write(_file(want["uuid"]), json.dumps(made, sort_keys=True))
        return self.find(want["uuid"])

    def seen(self) -> Dict[str, Machine]:
        return {one.uuid: one for one in self.guests()}

    def versions(self) -> Dict[str, str]:
        return {NAME: commands.run([NAME, "--version"]).split()[-1].lstrip("v")}


def _file(uuid: str) -> str:
    return "{0}/{1}.json".format(folder(), uuid)


def _disks(want: Want) -> Dict[str, str]:
    """What it calls them, which is their UUIDs, and where they lie on this host."""
    root = want["root"]
    volumes = ([root["volume"]] if "volume" in root else []) + list(want["volumes"].values())
    found = {} if "volume" in root or not root.get("size") else {"root": storage.root_disk(want).path}
    for one in volumes:
        source = storage.source(one["pool"], one["uuid"], one["format"])
        if source.protocol:
            text = "Guests by {0} reach no disks by {1}. Use a pool of their own host."
            raise Failed(text.format(NAME, source.protocol))
        found[one["uuid"]] = source.path
    return found


def _argv(want: Mapping[str, Any], disks: List[str], plugs: Plugs) -> List[str]:
    words = [NAME, "--kernel", FIRMWARE, "--serial", "tty", "--console", "off"]
    words += ["--cpus", "boot={0}".format(want["vcpus"]), "--memory", "size={0}".format(want["memory"])]
    words += ["--disk", *("path=" + path for path in [*disks, seed.path_of(want)])]
    nets = ["tap={0},mac={1}".format(plugs[key].device, port["mac"]) for key, port in sorted(want["ports"].items())]
    return words + (["--net", *nets] if nets else [])


class CloudHypervisorDriver:
    runs: Tuple[str, ...] = (NAME,)
    guest: Type[Any] = Machine

    def is_here(self) -> bool:
        return shutil.which(NAME) is not None

    def open(self, _sessions: Sessions) -> CloudHypervisor:
        return CloudHypervisor()

    def console_log(self, uuid: str) -> str:
        return "{0}/{1}/console.log".format(paths.INSTANCES, uuid)

    def trials(self) -> Dict[str, str]:
        if not self.is_here():
            return {}
        return {NAME: "" if Path("/dev/kvm").exists() else "there is no /dev/kvm"}

    def depends_on(self) -> List[Any]:
        return [self.is_here(), Path("/dev/kvm").exists()]

    def hardware(self) -> Json:
        return {}


DRIVER = CloudHypervisorDriver()
