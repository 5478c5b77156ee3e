"""Moves what nobody uses between real hosts: its disks are copied and compared, and only then is it the target's.

The source serves each disk to the target alone, and the target takes it. Each host says what it then reads, as a
digest. It counts as the source's until the target has booked it, by equal digests; its removal there is last of all.
"""

from __future__ import annotations

import re
import subprocess
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from stead.core.effect import Action
from stead.core.value import field, value
from stead.diff.moving import IN_THE_CLEAR
from stead.plan.model import Step
from stead.runner import StepAwaits, StepResult, StepStatus, Wave
from stead.runner.move_parts import THEN, Play, Tell, on_sources
from stead.site.inventory import Inventory
from stead.site.ssh import ssh

PORTS = range(49152, 49216)  # as libvirt's own moves
DISKS = 3  # of one resource at most: each has a port of its source
AT_ONCE = 8  # from one host
TELL = 2.0  # seconds between two words of how far they are
PATIENCE = 20  # seconds for an answer of a host
CANCELLED = "the move was cancelled"
_MIB = 1 << 20


@value
class DiskMoves:
    """The moves of one wave of what is off."""

    wave: Wave
    inventory: Inventory
    spoken: Callable[[Step], dict[str, Any]]  # as hosts are told it
    play: Play
    tell: Tell
    ports: dict[int, int] = field(default_factory=dict)  # number of a step -> that of its first disk

    def all(self, steps: Sequence[Step]) -> Iterator[StepResult]:
        waiting = list(steps)
        while waiting:
            if self.wave.stopping():
                yield from (StepResult(step.number, StepStatus.SKIPPED, "the run was stopped") for step in waiting)
                return
            some = self._next(waiting)
            waiting = [step for step in waiting if step not in some]
            yield from self._some(some)

    def _next(self, waiting: Sequence[Step]) -> list[Step]:
        used, found = Counter[str](), []
        for step in waiting:
            if used[step.host] < AT_ONCE:
                self.ports[step.number] = PORTS[-1] + 1 - DISKS * (used[step.host] + 1)
                used[step.host] += 1
                found.append(step)
        return found

    def _some(self, steps: Sequence[Step]) -> Iterator[StepResult]:
        watch = _CopyWatch(self, steps)
        try:
            heard = self.play("receive", self._lanes(steps), watch.look)
        finally:
            watch.end()
        came, stay = list[Step](), list[Step]()
        for step in steps:
            why = heard.why.get(step.number, "")
            (stay if why else came).append(step)
            if why:
                yield _failed(step, f"{CANCELLED if watch.cancelled else why.rstrip('.')}. It stays on {step.host}")
        if stay:
            self.play("stay", on_sources(stay, "stay", self.spoken))
        if not came:
            return
        digests = {step.number: heard.told.get((step.host, step.number), {}) for step in came}
        unbooked = self.play("arrive", self._arriving(came, digests)).why
        for step in came:
            if why := unbooked.get(step.number, ""):
                yield _failed(step, f"it was copied to {step.to}, and this failed: {why}")
        if there := [step for step in came if not unbooked.get(step.number)]:
            left = self.play("leave", on_sources(there, str(Action.DESTROY), self.spoken, want=None)).why
            for step in there:
                why = left.get(step.number, "")
                text = f"it is on {step.to}, and this failed on {step.host}: {why}"
                yield _failed(step, text) if why else StepResult(step.number, StepStatus.DONE)

    def _lanes(self, steps: Sequence[Step]) -> dict[str, list[dict[str, Any]]]:
        lanes: dict[str, list[dict[str, Any]]] = {}
        for step in steps:
            encrypted = all(one.code != IN_THE_CLEAR for one in step.reasons)
            port = self.ports[step.number]
            way = {"address": self._address(step.host), "port": port, "to": step.to, "encrypted": encrypted}
            told = {**self.spoken(step), "after": [], "way": way}
            lanes.setdefault(step.host, []).append({**told, "action": "send", "secrets": []})
            received = {**told, "action": "receive", "have": None, "came_from": step.host}
            lanes.setdefault(step.to, []).append(received)
        return lanes

    def _arriving(self, steps: Sequence[Step], digests: Mapping[int, Mapping[str, str]]) -> dict[str, list[Any]]:
        lanes: dict[str, list[Any]] = {}
        for step in steps:
            action = str(THEN.get(step.disturbs, Action.UPDATE))
            told = {**self.spoken(step), "after": [], "action": action, "digests": digests[step.number]}
            lanes.setdefault(step.to, []).append(told)
        return lanes

    def _address(self, host: str) -> str:
        return self.inventory.hosts[host].underlay or str(self.inventory.connections[host].get("ansible_host", host))

    def asked(self, host: str, words: Sequence[str]) -> list[str]:
        return ssh(host, self.inventory.connections[host], words, options=("-T", "-o", "BatchMode=yes"))

    def came(self, step: Step) -> list[str]:
        """What tells on the target how much of the disk that is copied now has come."""
        first = self.ports[step.number]
        ports = f"dport >= :{first} and dport <= :{first + DISKS - 1}"
        return self.asked(step.to, ["ss", "-tinH", f"'dst {self._address(step.host)} and {ports}'"])


class _CopyWatch:
    """While they are copied: how far they are; and an end, if that is asked for."""

    def __init__(self, moves: DiskMoves, steps: Sequence[Step]) -> None:
        self._moves, self._steps = moves, steps
        self._begun = self._told = time.monotonic()
        self._asked: dict[int, subprocess.Popen[str]] = {}
        self.cancelled = False

    def look(self) -> None:
        if self._moves.wave.stopping() and not self.cancelled:
            self.cancelled = True
            self._cancel()
        for step in self._steps:
            asked = self._asked.get(step.number)
            if asked is not None and asked.poll() is not None:
                del self._asked[step.number]
                if words := progress(asked.communicate()[0]):
                    seconds = time.monotonic() - self._begun
                    self._moves.tell(StepAwaits(step.number, seconds, f"it is on {step.to}", words))
        if time.monotonic() - self._told < TELL or self.cancelled:
            return
        self._told = time.monotonic()
        for step in self._steps:
            if step.number not in self._asked:
                self._asked[step.number] = subprocess.Popen(
                    self._moves.came(step),
                    stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
                )  # fmt: skip

    def end(self) -> None:
        for asked in self._asked.values():
            asked.kill()
            asked.communicate()

    def _cancel(self) -> None:
        """What is served no longer cannot be copied: the target's copy fails, and it clears itself."""
        for step in self._steps:
            words = self._moves.asked(step.host, ["systemctl", "stop", f"'stead-move-*-{step.uuid}-*'"])
            try:
                subprocess.run(words, capture_output=True, check=False, timeout=PATIENCE)
            except subprocess.TimeoutExpired:
                continue


def _failed(step: Step, why: str) -> StepResult:
    return StepResult(step.number, StepStatus.FAILED, why)


def progress(said: str) -> str:
    """What of its connection is told, in words; empty where there is none."""
    found = [int(number) for number in re.findall(r"\bbytes_received:(\d+)", said)]
    return f"{sum(found) / _MIB:,.0f} MiB copied" if found else ""
