"""Moves running guests between real hosts: prepares who gets one, drives both hypervisors, books what became of it.

The controller reaches both hypervisors itself, each over an SSH connection of its own, so no host needs a way into
another's. The guest counts as the source's until it runs on the target: whoever is killed in between leaves one that
runs, and the next plan finds it where it is.
"""

from __future__ import annotations

import os
import shlex
import shutil
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Self

from stead.core.diagnostics import Code, Diagnostic
from stead.core.effect import Action
from stead.core.value import field, value
from stead.diff.moving import IN_THE_CLEAR
from stead.drivers.hypervisor import GuestPresence, Mover, MoveRequest, by_hypervisor
from stead.plan.model import Step
from stead.runner import StepAwaits, StepResult, StepStatus, Wave
from stead.runner.move_parts import THEN, Outcomes, Play, Tell, is_live, on_sources
from stead.site.inventory import Inventory
from stead.site.ssh import ssh

NO_PROGRAM = Code("STEAD-A004", "the controller lacks a program that moves instances")

LOOK = 0.05  # seconds between looks whether one has ended
TELL = 2.0  # seconds between two words of how far one is
PATIENCE = 20  # seconds for an answer of a hypervisor
SETTLES = 60  # seconds until a hypervisor that has started anew knows what became of a guest
AT_ONCE = 2  # moves from or to one host: more of them share its network, and each takes longer
_PASSED_ON = ("SSH_AUTH_SOCK", "KRB5CCNAME")  # libvirt's programs keep these from what they start


@value
class GuestMoves:
    """The moves of one wave."""

    wave: Wave
    folder: Path  # private
    inventory: Inventory
    spoken: Callable[[Step], dict[str, Any]]  # as hosts are told it
    play: Play
    tell: Tell
    ways: dict[str, str] = field(default_factory=dict)  # host -> the program that reaches its hypervisor

    def all(self, steps: Sequence[Step]) -> Iterator[StepResult]:
        lanes = self._prepared(steps)
        why = self.play("receive", lanes).why
        ready = [step for step in steps if not why.get(step.number)]
        yield from (_failed(step, why[step.number]) for step in steps if why.get(step.number))
        moved, stay = list[Step](), [step for step in steps if why.get(step.number)]
        for step, result in self._moved(ready):
            if result.state is StepStatus.DONE:
                moved.append(step)
                continue
            if result.state is not StepStatus.UNKNOWN:
                stay.append(step)
            yield result
        if stay:
            self.play("stay", on_sources(stay, "stay", self.spoken))
        if moved:
            why = self.play("arrive", _booked(moved, self.spoken)).why
            for step in moved:
                yield _failed(step, _arrived(step, why)) if why.get(step.number) else _done(step)

    def _prepared(self, steps: Sequence[Step]) -> dict[str, list[dict[str, Any]]]:
        """The target makes what it needs, and the source knows that another may have it soon. The hosts of later steps,
        that say where it is, expect it there: that is worth a shorter pause, and nothing depends on it.
        """
        lanes = on_sources(steps, "send", self.spoken)
        for step in steps:
            told = {**self.spoken(step), "action": "receive", "after": [], "have": None, "came_from": step.host}
            lanes.setdefault(step.to, []).append(told)
        later = {one.number: one for step in steps for one in self.wave.follows.get(step.number, ())}
        for step in later.values():
            if step.action is Action.UPDATE:
                lanes.setdefault(step.host, []).append({**self.spoken(step), "action": "expect", "after": []})
        return lanes

    def _moved(self, steps: Sequence[Step]) -> Iterator[tuple[Step, StepResult]]:
        waiting, running = list(steps), dict[int, tuple[Step, _Move]]()
        with ExitStack() as stack:
            while waiting or running:
                if self.wave.stopping():
                    yield from ((step, _stopped(step)) for step in waiting)
                    waiting = []
                for step in _next(waiting, [step for step, _move in running.values()]):
                    waiting.remove(step)
                    running[step.number] = (step, stack.enter_context(self._begun(step)))
                for number, (step, move) in list(running.items()):
                    if self.wave.stopping():
                        move.cancel()
                    if move.ended():
                        del running[number]
                        yield step, move.result(step)
                    elif words := move.words():
                        self.tell(StepAwaits(number, move.seconds, f"it runs on {step.to}", words))
                time.sleep(LOOK)

    def _begun(self, step: Step) -> _Move:
        fields = step.want.fields() if step.want is not None else {}
        mover = by_hypervisor()[fields["hypervisor"]].mover
        assert mover is not None  # noqa: S101 - else it was not planned
        told = self.inventory.hosts[step.to]
        request = MoveRequest(
            uuid=step.uuid,
            want=fields,
            source=self._way(step.host, mover),
            target=self._way(step.to, mover),
            address=told.underlay or str(self.inventory.connections[step.to].get("ansible_host", step.to)),
            encrypted=all(one.code != IN_THE_CLEAR for one in step.reasons),
            paused=step.have is not None and step.have.fields().get("state") == "paused",
        )
        return _Move(mover, request, self.folder / f"{step.number}.log")

    def _way(self, host: str, mover: Mover) -> str:
        """A program of its own for each host: libvirt's own way over SSH knows no inventory, and no sudo."""
        if host not in self.ways:
            words = ssh(host, self.inventory.connections[host], mover.relay, options=("-T", "-o", "BatchMode=yes"))
            lines = [f"export {name}={shlex.quote(os.environ[name])}" for name in _PASSED_ON if name in os.environ]
            path = self.folder / f"reach-{len(self.ways)}"
            handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o700)
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                file.write("\n".join(["#!/bin/sh", *lines, f"exec {shlex.join(words)}", ""]))
            self.ways[host] = str(path)
        return self.ways[host]


def missing_programs(steps: Sequence[Step]) -> Iterator[Diagnostic]:
    """Of this machine, which drives the hypervisors of both hosts."""
    told = [step.want.fields()["hypervisor"] for step in steps if step.want is not None and is_live(step)]
    movers = (by_hypervisor()[name].mover for name in dict.fromkeys(told))
    for mover in {one.program: one for one in movers if one is not None}.values():
        if shutil.which(mover.program) is None:
            text = f"This machine has no program {mover.program}. Install Debian's package {mover.package} here."
            yield NO_PROGRAM.at(None, f"{text} Nothing was done.", address=str(steps[0].address))


class _Move:
    """One guest on its way."""

    def __init__(self, mover: Mover, request: MoveRequest, log: Path) -> None:
        self._mover, self._request, self._log = mover, request, log
        self._begun = self._told = time.monotonic()
        self._cancelled = ""  # why
        self._watch: subprocess.Popen[str] | None = None
        if self._asked(request.source) is GuestPresence.MOVING:  # a move that was killed; the target has none of it
            self._run(mover.resume(request.source, request.uuid))
        self._expires = request.policy.get("timeout", 0)
        if words := mover.limit(request):
            self._run(words)
        with log.open("ab") as file:
            # It ends with who drives it: then the hypervisors cancel the move, and the guest is where it was. It hears
            # an interrupt, also below a shell that ignores them for what runs in its background.
            self._process = subprocess.Popen(
                ["setpriv", "--pdeathsig", "KILL", "--", "env", "--default-signal=INT", *mover.move(request)],
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=file,
                start_new_session=True,
            )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        """Left early: as by an interrupt."""
        if self._watch is not None:
            self._watch.kill()
            self._watch.communicate()
        if not self.ended():
            self.cancel()
            self._process.wait()

    @property
    def seconds(self) -> float:
        return time.monotonic() - self._begun

    def ended(self) -> bool:
        return self._process.poll() is not None

    def cancel(self, why: str = "the move was cancelled") -> None:
        if not self._cancelled:
            self._cancelled = why
            self._process.send_signal(signal.SIGINT)

    def words(self) -> str:
        """How far it is, every few seconds. One that takes longer than its policy allows ends here."""
        if self._expires and self.seconds > self._expires:
            self.cancel(f"the move was cancelled: it took longer than {self._expires} s")
        if self._watch is None and time.monotonic() - self._told >= TELL:
            self._told = time.monotonic()
            words = self._mover.watch(self._request.source, self._request.uuid)
            self._watch = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        if self._watch is None or self._watch.poll() is None:  # nobody waits for it: the move may end meanwhile
            return ""
        watch, self._watch = self._watch, None
        return self._mover.progress(watch.communicate()[0])

    def result(self, step: Step) -> StepResult:
        """What its program says may be wrong, if a connection broke: where the guest is, hosts say."""
        if self._process.returncode == 0:
            return _done(step)
        here, there = self._asked(self._request.source), self._asked(self._request.target)
        if self._has_gone(here, there):
            return _done(step)
        why = self._cancelled or self._last_words()
        if here is None or there is None:
            silent = step.host if here is None else step.to
            return StepResult(step.number, StepStatus.UNKNOWN, f"{why}; and {silent} does not say what it has of it")
        if here is GuestPresence.MOVING and there is GuestPresence.ABSENT:
            self._run(self._mover.resume(self._request.source, self._request.uuid))
        elif here in (GuestPresence.MOVING, GuestPresence.ABSENT):
            text = f"{why}; and it is {here} on {step.host}, {there} on {step.to}: plan again"
            return StepResult(step.number, StepStatus.UNKNOWN, text)
        return _failed(step, f"{why}. It stays on {step.host}")

    def _has_gone(self, here: GuestPresence | None, there: GuestPresence | None) -> bool:
        if self._request.paused and here is GuestPresence.ABSENT and there is GuestPresence.PAUSED:
            return True
        return there is GuestPresence.RUNNING and here in (
            GuestPresence.ABSENT,
            GuestPresence.OFF,
            GuestPresence.MOVING,
        )

    def _asked(self, way: str) -> GuestPresence | None:
        """None where there is no answer that can be believed."""
        until = time.monotonic() + SETTLES
        while (found := self._said(way)) is GuestPresence.UNSETTLED and time.monotonic() < until:
            time.sleep(LOOK * 10)
        return None if found is GuestPresence.UNSETTLED else found

    def _said(self, way: str) -> GuestPresence | None:
        try:
            done = subprocess.run(
                self._mover.ask(way, self._request.uuid), capture_output=True, text=True, check=False, timeout=PATIENCE
            )
        except subprocess.TimeoutExpired:
            return None
        if done.returncode and "failed to get domain" not in done.stderr:
            return None
        return self._mover.presence(done.stdout)

    def _run(self, words: Sequence[str]) -> str:
        try:
            return subprocess.run(words, capture_output=True, text=True, check=False, timeout=PATIENCE).stdout
        except subprocess.TimeoutExpired:
            return ""

    def _last_words(self) -> str:
        lines = self._log.read_text(encoding="utf-8", errors="replace").split("\n")
        said = [line.removeprefix("error: ").strip() for line in lines if line.startswith("error: ")]
        return "; ".join(said) or f"{self._mover.program} ended with status {self._process.returncode}"


def _booked(steps: Sequence[Step], spoken: Callable[[Step], dict[str, Any]]) -> dict[str, list[dict[str, Any]]]:
    """The target's ledger has it from now on, and nothing of it is left on the source."""
    lanes: dict[str, list[dict[str, Any]]] = {}
    for step in steps:
        then = {**spoken(step), "after": []}
        lanes.setdefault(step.to, []).append({**then, "action": str(THEN.get(step.disturbs, Action.UPDATE))})
        lanes.setdefault(step.host, []).append({**then, "action": "destroy", "want": None, "secrets": []})
    return lanes


def _arrived(step: Step, why: Outcomes) -> str:
    return f"it runs on {step.to}, and this failed: {why[step.number]}"


def _next(waiting: Sequence[Step], running: Sequence[Step]) -> list[Step]:
    """Those that may begin now."""
    busy = Counter(host for step in running for host in (step.host, step.to))
    found = []
    for step in waiting:
        if max(busy[step.host], busy[step.to]) < AT_ONCE:
            busy.update((step.host, step.to))
            found.append(step)
    return found


def _stopped(step: Step) -> StepResult:
    return StepResult(step.number, StepStatus.SKIPPED, "the run was stopped")


def _done(step: Step) -> StepResult:
    return StepResult(step.number, StepStatus.DONE)


def _failed(step: Step, why: str) -> StepResult:
    return StepResult(step.number, StepStatus.FAILED, why)
