"""Runs a playbook of the collection with ansible-runner and tells what happens as it happens.

It knows no playbook: who calls it says which, over which inventory, and what an event means to a person.
"""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum
from pathlib import Path
from typing import Any

from stead.core.named import NamedTuple
from stead.core.value import field, value
from stead.runner.ansible_process import SETTINGS, collections
from stead.site.ansible_configuration import configuration

# One fork is a process of 60 MB on the controller.
MOST_FORKS = 50


class Became(StrEnum):
    OK = "ok"
    CHANGED = "changed"
    FAILED = "failed"
    UNREACHABLE = "unreachable"
    SKIPPED = "skipped"


class Task(NamedTuple):
    """A task begins, on all hosts that have it to do."""

    name: str


class TaskOutcome(NamedTuple):
    """What became of a task on a host."""

    host: str
    task: str
    became: Became
    message: str
    result: Mapping[str, Any]


Event = Task | TaskOutcome

_BECAME = {
    "runner_on_ok": Became.OK,
    "runner_on_failed": Became.FAILED,
    "runner_on_unreachable": Became.UNREACHABLE,
    "runner_on_skipped": Became.SKIPPED,
}


@value
class PlaybookCall:
    name: str  # stead.cloud.observe, or a path
    inventory: Sequence[Path]
    variables: Mapping[str, Any] = field(default_factory=dict)
    limit: Sequence[str] = ()
    check: bool = False
    forks: int = MOST_FORKS
    connect_within: int = 8  # seconds to open a connection: what a dead host costs, once for all of them
    arguments: Sequence[str] = ()  # more of them for ansible-playbook: --ask-vault-pass


@value
class Ran:
    status: int
    counts: Mapping[str, Mapping[str, int]]  # host -> ok, changed, failures, dark, skipped
    unreachable: Mapping[str, str]
    failed: Mapping[str, str]
    said: str  # the end of what Ansible printed


def run(playbook: PlaybookCall, on_event: Callable[[Event], None] = lambda _event: None) -> Ran:
    """Until it ends. Raises nothing for what happens on hosts."""
    import ansible_runner

    watch = _Watch(on_event)
    with tempfile.TemporaryDirectory(prefix="stead-play-") as folder:
        ran = ansible_runner.run(
            private_data_dir=folder,
            playbook=playbook.name,
            inventory=[str(one.resolve()) for one in playbook.inventory],
            extravars=dict(playbook.variables),
            limit=",".join(playbook.limit) or None,
            forks=playbook.forks,
            cmdline=" ".join([*(["--check"] if playbook.check else []), *playbook.arguments]) or None,
            envvars=_environment(playbook),
            event_handler=watch.take,
            quiet=True,
        )
        said = ran.stdout.read()[-2000:].strip() if ran.rc else ""
    return Ran(
        status=ran.rc if ran.rc is not None else 1,
        counts=watch.counts,
        unreachable=watch.unreachable,
        failed=watch.failed,
        said=said,
    )


def _environment(playbook: PlaybookCall) -> dict[str, str]:
    """Settings that a user has made in the environment win."""
    wanted = {
        **SETTINGS,
        **configuration(os.environ),
        "ANSIBLE_COLLECTIONS_PATH": collections(),
        "ANSIBLE_TIMEOUT": str(playbook.connect_within),
        "ANSIBLE_DISPLAY_SKIPPED_HOSTS": "1",
    }
    found = {name: value for name, value in wanted.items() if name not in os.environ}
    beside = str(Path(sys.executable).parent)  # ansible-playbook of the environment Stead is installed in
    return {**found, "PATH": f"{beside}{os.pathsep}{os.environ.get('PATH', os.defpath)}"}


class _Watch:
    """Turns ansible-runner's events into ours, and keeps what a caller wants to know in the end."""

    def __init__(self, on_event: Callable[[Event], None]) -> None:
        self._on_event = on_event
        self.counts: dict[str, dict[str, int]] = {}
        self.unreachable: dict[str, str] = {}
        self.failed: dict[str, str] = {}

    def take(self, event: Mapping[str, Any]) -> bool:
        kind, data = event.get("event", ""), event.get("event_data", {})
        if kind == "playbook_on_task_start":
            self._on_event(Task(str(data.get("task", ""))))
        elif kind in _BECAME:
            self._outcome(_BECAME[kind], data)
        elif kind == "playbook_on_stats":
            for name in ("ok", "changed", "failures", "dark", "skipped"):
                for host, count in (data.get(name) or {}).items():
                    self.counts.setdefault(host, {})[name] = count
        return False  # nothing is kept on disk

    def _outcome(self, became: Became, data: Mapping[str, Any]) -> None:
        host, result = str(data.get("host", "")), data.get("res") or {}
        message = str(result.get("msg", "")).strip()
        if became is Became.OK and result.get("changed"):
            became = Became.CHANGED
        if became is Became.FAILED and data.get("ignore_errors"):
            became = Became.OK
        if became is Became.UNREACHABLE:
            self.unreachable[host] = message
        elif became is Became.FAILED:
            self.failed[host] = message or str(result.get("module_stderr", ""))[-300:]
        self._on_event(TaskOutcome(host, str(data.get("task", "")), became, message, result))
