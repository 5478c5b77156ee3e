"""A role's batch of directories, files, settings, keys and units, in one call instead of a task for each.

Everything that is changed belongs to Stead, save units and settings that the role names. Nothing is decided here.
"""

from __future__ import annotations

import json
import os
from typing import Any, Dict, Mapping, Sequence

from ..base import commands, paths
from ..base.errors import Failed
from ..base.ssh_peers import WITNESS
from ..base.step import Want
from ..base.work import Work
from ..net import drivers
from ..storage import declared
from . import installing

READABLE = 0o644


def prepare(want: Want, work: Work) -> None:
    for one in want.get("directories") or ():
        _directory(one, work)
    declared.prepare(want.get("pools"), work)
    if want.get("identity"):
        work.write(paths.ROOT + "/host.json", json.dumps(want["identity"], sort_keys=True, indent=1) + "\n")
    if want.get("code"):
        installing.install(work)
    _files(want.get("files") or (), work)
    for path in want.get("absent") or ():
        work.remove(path)
    _settings(want.get("at_least") or {}, work)
    if want.get("witness_key"):
        WITNESS.make_key(work)
    if want.get("witnesses"):
        WITNESS.learn(want["witnesses"], work)
    _units(want.get("units") or {}, work)
    drivers.prepare(want.get("networks") or {}, work)


def _directory(one: Mapping[str, Any], work: Work) -> None:
    """Made where it is missing. One that exists is the administrator's, save that private ones are kept private."""
    path, mode = one["path"], int(str(one.get("mode") or "0711"), 8)
    work.directory(path, mode)
    if os.path.isdir(path) and mode == 0o700 and os.stat(path).st_mode & 0o077:
        work.act("chmod 0700 {0}".format(path), os.chmod, path, mode)


def _files(files: Sequence[Mapping[str, Any]], work: Work) -> None:
    """Written, and then, once for all of them, what has to take notice. Should that fail, they count as not written."""
    before, then = {}, []
    for one in files:
        path, mode = one["path"], int(str(one.get("mode") or "0644"), 8)
        old = paths.read_bytes(path)
        work.directory(os.path.dirname(path), 0o755)
        if work.write(path, one["content"], mode):
            before[path] = old
            then += [command for command in one.get("then") or () if command not in then]
    try:
        for command in then:
            work.run(command)
    except Failed:
        for path, old in before.items():
            paths.remove(path) if old is None else paths.write(path, old, READABLE)
        raise


def _settings(settings: Mapping[str, Any], work: Work) -> None:
    """Kernel settings that Stead needs at least this high. A higher one is left, and one that this kernel lacks too."""
    for name, least in sorted(settings.items()):
        path = "/proc/sys/" + name.replace(".", "/")
        text = paths.read_bytes(path) if os.path.isfile(path) and os.access(path, os.W_OK) else None
        if text is not None and int(text.split()[0]) < int(least):
            work.run(["sysctl", "--quiet", "--write", "{0}={1}".format(name, least)])


def _units(units: Mapping[str, Any], work: Work) -> None:
    """Enabled, disabled, started: only what is not so yet. In check mode a unit may come with a package."""
    names = sorted({name for found in units.values() for name in found or ()})
    if not names:
        return
    states = _states(names)
    words = {"enabled": "enable", "disabled": "disable", "started": "start", "stopped": "stop"}
    for wish in ("disabled", "stopped", "enabled", "started"):
        todo = [name for name in units.get(wish) or () if not _is(states.get(name, {}), wish)]
        if todo:
            work.run(["systemctl", words[wish]] + todo)


def _is(state: Mapping[str, str], wish: str) -> bool:
    if wish == "enabled":
        return state.get("UnitFileState") in ("enabled", "static", "indirect", "alias")
    if wish == "disabled":
        return state.get("UnitFileState") != "enabled"
    return (state.get("ActiveState") in ("active", "activating", "reloading")) == (wish == "started")


def _states(names: Sequence[str]) -> Dict[str, Dict[str, str]]:
    words = ["systemctl", "show", "--property=Id,UnitFileState,ActiveState"]
    found: Dict[str, Dict[str, str]] = {}
    for name, block in zip(names, commands.run([*words, *names]).strip().split("\n\n")):
        found[name] = dict(line.split("=", 1) for line in block.splitlines() if "=" in line)
    return found
