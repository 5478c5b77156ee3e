# Copyright: Stead contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Asks the host that serves volumes for what others need to use them in a wave, and keeps it for each of those.

What it says is a secret: it goes into a file for the host that is to have it, which is removed when that host's steps
are begun (`converge`), and into no result. A host from which nobody attaches a volume is not connected to.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ansible.plugins.action import ActionBase

from ..plugin_utils.answers import steps_with, taken, write

HANDED = ".handed-"  # between the host that is handed something, and the host that it is from


class ActionModule(ActionBase):
    _supports_check_mode = True

    def run(self, tmp: Any = None, task_vars: Any = None) -> dict[str, Any]:
        super().run(tmp, task_vars)
        host, folder = task_vars["inventory_hostname"], self._task.args.get("src")
        if not folder:
            return dict(self._execute_module(task_vars=task_vars))
        takers = taken_from(host, folder)
        if not takers:
            return {"changed": False}
        volumes: dict[str, bool] = {}
        for uuid, alone in (pair for one in takers.values() for pair in one.items()):
            volumes[uuid] = volumes.get(uuid, True) and alone
        answer = self._execute_module(module_args={"volumes": volumes}, task_vars=task_vars)
        accounts = answer.pop("accounts", {})
        for taker, wanted in takers.items():
            if own := {uuid: accounts[uuid] for uuid in wanted if uuid in accounts}:
                write(os.path.join(folder, taker + HANDED + host), own)
        return {name: answer[name] for name in ("changed", "failed", "msg") if name in answer}


def taken_from(host: str, folder: str) -> dict[str, dict[str, bool]]:
    """Host that has steps in this wave -> volumes of this one that they use, and whether nobody else uses that one."""
    found: dict[str, dict[str, bool]] = {}
    for taker, step in steps_with(folder, '"server"'):
        for uuid, alone in attached(step, host):
            own = found.setdefault(taker, {})
            own[uuid] = own.get(uuid, True) and alone
    return found


def attached(step: Mapping[str, Any], server: str) -> Iterator[tuple[str, bool]]:
    """Volumes that a step is to use and a host serves. Nobody else uses one that is attached anew, or whose guest was
    off, unless it is for several, or comes with a guest that runs elsewhere."""
    before = step.get("have") or {}
    had = {one["uuid"] for one in served(before)} if before.get("state") != "stopped" else set()
    for one in served(step.get("want") or {}):
        if one["pool"]["host"] == server:
            anew = step["kind"] == "instances" and one["uuid"] not in had and "came_from" not in step
            yield one["uuid"], anew and not one.get("shareable")


def served(want: Any) -> Iterator[Mapping[str, Any]]:
    """What within a want is a volume that some host serves; not the want itself, which is for that host."""
    for one in (want.values() if isinstance(want, Mapping) else want) if isinstance(want, Mapping | list) else ():
        if isinstance(one, Mapping) and "uuid" in one and (one.get("pool") or {}).get("server"):
            yield one
        else:
            yield from served(one)


def handed(host: str, steps: Sequence[Mapping[str, Any]], folder: str) -> dict[str, Any]:
    """What hosts gave for this one's steps. Nobody needs the files any more."""
    servers = {one["pool"]["host"] for step in steps for one in served(step.get("want") or {})}
    found: dict[str, Any] = {}
    for server in servers:
        found.update(taken(os.path.join(folder, host + HANDED + server)))
    return found
