"""Carries out one host's steps of a wave: a few in parallel, each after its dependencies, and on after a failure.

A failed step prevents only the steps that depend on it. The outcome is a value for each step, never an exception.

A long batch returns between two steps, so that its progress can be reported; the caller then calls it again.
A guest that is not ready yet delays only steps that depend on it: the wait continues from one call to the next.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import time
import traceback
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from typing import Any, Dict, Iterator, List, Mapping, Optional, Sequence, Tuple, cast

from ..base import ledger, paths
from ..base.errors import Failed, FailureCode
from ..base.journal import Journal, Silence
from ..base.kind import HostKind
from ..base.sessions import Sessions
from ..base.step import HostStep
from ..base.work import Work
from ..kinds.table import KINDS
from . import documents, fences, origin
from .lookouts import Lookouts
from .ordering import ordered
from .waiting import Wait, shown

Outcome = Dict[str, Any]  # as `outcome` makes it

NO_CODE = FailureCode("STEAD-E011", "this version cannot make this kind on hosts")
NO_MIGRATION = FailureCode("STEAD-E012", "hosts cannot move this kind")
BUSY = FailureCode("STEAD-E013", "another run is at work on the host")
NO_JOURNAL = FailureCode("STEAD-E014", "the journal on the host cannot be written")
UNEXPECTED = FailureCode("STEAD-E015", "an unexpected error on the host")

# Steps wait for programs and for libvirt far more than they compute.
AT_ONCE = 4
# Seconds after which no more is begun until what is done is told. A step that takes longer keeps nobody waiting.
SPELL = 5
# Seconds that another run on this host may still need; one that was killed here is over long before.
PATIENCE = 120

# Seconds between two looks at a guest that is waited for, and guests that are looked at at once.
LOOK = 1
LOOKS = 16

# What hosts are told of a migration: the one that gets it, others that look for it, and the one that has it, before and
# where it stayed.
PARTS_OF_MOVE = ("receive", "expect", "send", "stay")

OK, FAILED, SKIPPED = "ok", "failed", "skipped"


def no_code(kind: str) -> Failed:
    text = "This version cannot make {0} on hosts. Run `stead bootstrap` with the version that planned it."
    return Failed(NO_CODE, text.format(kind))


class Batch:
    def __init__(self, payload: Mapping[str, Any], check: bool = False) -> None:
        self.host = payload["host"]
        self._origin, self._key = payload.get("origin"), payload.get("key", "")
        self._dead = payload.get("dead") or ()
        self._documents = payload.get("documents") or {}
        self.steps = ordered([cast("HostStep", dict(step, origin=self._origin)) for step in payload["steps"]])
        self.check = check
        self._secrets, self._handed = payload.get("secrets", {}), payload.get("handed", {})
        self._extra = {name: payload[name] for name in ("underlay",) if payload.get(name)}
        self._uploads = payload.get("uploads", {})
        self._images = payload.get("images", {})
        self._sessions = Sessions()
        self._journal = Silence() if check else Journal(payload.get("run", "none"))
        self._outcomes = {int(number): status for number, status in payload.get("outcomes", {}).items()}
        self._stands = Lookouts(self.host)
        steps = {step["number"]: step for step in self.steps}
        self._waits: Dict[int, Tuple[HostStep, Outcome, Wait]] = {}  # number -> step, its outcome so far, and the wait
        for number, told in payload.get("waits", {}).items():
            step = steps[int(number)]
            self._waits[int(number)] = (step, told["outcome"], Wait(step["want"], told["waited"], told["seen"]))

    def carry_out(self) -> List[Dict[str, Any]]:
        """What became of the steps that were not done before and are now, in the order of their numbers."""
        results: Dict[int, Outcome] = {}
        origin.check(self._origin)
        if not self.check:
            origin.keep(self._origin, self._key)
            fences.note(self._dead, self._origin)
            if self._origin:
                documents.keep(self._documents, self._origin["site"])
        try:
            with ThreadPoolExecutor(AT_ONCE) as pool, ThreadPoolExecutor(LOOKS) as lookers:
                self._all(pool, lookers, results)
        finally:
            self._stands.close()
            self._sessions.close()
        if not self.check:
            origin.release()
        return [results[number] for number in sorted(results)]

    def waits(self) -> Dict[str, Any]:
        """Steps that are done and whose guests are still waited for: for the next call."""
        return {
            str(number): {"waited": wait.waited, "seen": wait.seen, "for": shown(wait.words), "outcome": found}
            for number, (_step, found, wait) in self._waits.items()
        }

    def _all(self, pool: ThreadPoolExecutor, lookers: ThreadPoolExecutor, results: Dict[int, Outcome]) -> None:
        done = self._outcomes.keys() | self._waits.keys()
        waiting = {step["number"]: step for step in self.steps if step["number"] not in done}
        running: Dict[Any, Tuple[int, float]] = {}  # future -> the number of its step, and when it was begun
        looking: Dict[Any, int] = {}  # future -> the number of a step whose guest is looked at
        begun = time.monotonic()
        while True:
            is_time = _is_time_to_tell(begun, running)
            if not is_time:
                self._begin(pool, waiting, running)
                for number in self._waits.keys() - set(looking.values()):
                    looking[lookers.submit(self._look, number)] = number
            if not running and not looking:
                return
            ended, _others = wait([*running, *looking], timeout=SPELL, return_when=FIRST_COMPLETED)
            for future in ended:
                number = looking.pop(future) if future in looking else running.pop(future)[0]
                found = future.result()
                if found is not None:
                    results[number] = found
                    self._outcomes[number] = found["status"]

    def _begin(
        self, pool: ThreadPoolExecutor, waiting: Dict[int, HostStep], running: Dict[Any, Tuple[int, float]]
    ) -> None:
        open_ones = set(waiting).union(self._waits, (number for number, _since in running.values()))
        for number in sorted(waiting):
            if len(running) == AT_ONCE:
                return
            if open_ones.isdisjoint(waiting[number].get("after", ())):
                running[pool.submit(self._step, waiting.pop(number))] = (number, time.monotonic())

    def _look(self, number: int) -> Optional[Outcome]:
        """Once more, after a pause: the step's outcome, or nothing while it is still waited for."""
        step, found, awaited = self._waits[number]
        time.sleep(LOOK)
        try:
            ready = awaited.look(self._sessions, self._stands)
            if not ready and not awaited.is_over:
                return None
            if ready:
                self._book(step)
                found["ready"] = {"for": shown(awaited.words), "seconds": round(awaited.waited, 1)}
            else:
                found.update(status=FAILED, error=str(awaited.failure()))
        except Failed as error:
            found.update(status=FAILED, error=str(error))
        except Exception as error:  # noqa: BLE001 - libvirt's, or a bug: the others go on
            found.update(status=FAILED, error=_told(error))
        found["seconds"] = round(found["seconds"] + awaited.waited, 3)
        self._end(step, found)
        del self._waits[number]
        return found

    def _step(self, step: HostStep) -> Optional[Outcome]:
        """What it waits for has ended, here or in a wave before."""
        lost = [one for one in step.get("after", ()) if self._outcomes.get(one, OK) != OK]
        if lost:
            text = "It waits for step {0}, which was not done.".format(lost[0])
            return outcome(step, SKIPPED, error=text)
        begun = time.monotonic()
        try:
            self._journal.write(step, "begin", uuid=step.get("uuid", ""), digest=step.get("digest", ""))
        except OSError as error:
            text = (
                "The journal in {0} cannot be written: {1}. Nothing was done. Free some space there, and apply again."
            )
            return outcome(step, FAILED, error=str(Failed(NO_JOURNAL, text.format(paths.JOURNAL, error.strerror))))
        own = {name: self._secrets[name] for name in step.get("secrets") or () if name in self._secrets}
        work = Work(self.host, self.check, own, self._sessions, handed=self._handed)
        awaited = False
        try:
            awaited = self._carry_out(step, work)
            found = outcome(step, OK, changed=work.changed, done=work.done)
            found.update({"told": work.told} if work.told else {})
        except Failed as error:
            found = outcome(step, FAILED, changed=work.changed, done=work.done, error=str(error))
        except Exception as error:  # noqa: BLE001 - a bug or libvirt's: the others go on, and the text says where it was
            found = outcome(step, FAILED, changed=work.changed, done=work.done, error=_told(error))
        found["seconds"] = round(time.monotonic() - begun, 3)
        if awaited:
            self._waits[step["number"]] = (step, found, Wait(step["want"]))
            return None
        self._end(step, found)
        return found

    def _end(self, step: HostStep, found: Outcome) -> None:
        with contextlib.suppress(OSError):  # the controller hears of it all the same
            self._journal.write(step, "end", status=found["status"], error=found["error"])

    def _carry_out(self, step: HostStep, work: Work) -> bool:
        """True when it is done, and its guest is to be waited for."""
        kind, action = step["kind"], step["action"]
        if action in ("forget", "accept", "register"):
            self._book(step)
            return False
        code = KINDS.get(kind)
        if code is None:
            raise no_code(kind)
        given = self._given(step)
        if action == "adopt" and code.adopt is not None:  # nothing is begun that could be left half done
            code.adopt(given, work)
        elif action == "destroy" or step.get("want") is None:
            for have in ledger.wants(kind, step["uuid"]) or [step.get("have")]:  # this host knows best what it has
                code.remove({**given, "have": have}, work)
        elif action in PARTS_OF_MOVE:
            _part_of_move(code, given, work)
            return False
        else:
            unsure = ledger.is_unsure(kind, step["uuid"])  # a start of a run before may be what is waited for
            if not work.check:
                ledger.begin(ledger.made_by(step))
            code.ensure(given, work)
            if not work.check and code.awaited(step["want"]) and (work.booted or unsure):
                ledger.keep(ledger.made_by(step), awaited=True)
                return True
        self._book(step)
        return False

    def _given(self, step: HostStep) -> HostStep:
        """With what the controller brought for it beside the plan."""
        beside = {"upload": self._uploads.get(str(step["number"])), "kept": self._images.get(step["uuid"])}
        return cast("HostStep", {**step, **self._extra, **{name: one for name, one in beside.items() if one}})

    def _book(self, step: HostStep) -> None:
        """The ledger says what was made, once it was made. Of a thing forgotten it says nothing more."""
        if self.check:
            return
        if step["action"] in ("destroy", "forget") or step.get("want") is None:
            ledger.forget(step["kind"], step["uuid"])
        else:
            ledger.keep(ledger.made_by(step))


def _part_of_move(code: HostKind, step: HostStep, work: Work) -> None:
    """Nothing of it is booked before the other host has it."""
    kind, action = step["kind"], step["action"]
    if action == "expect":
        code.expect(step, work)
    elif action == "receive" and code.receive is None:
        text = "Hosts do not move {0} to one another. Name the host where it is in the spec (`host: {1}`)."
        raise Failed(NO_MIGRATION, text.format(kind, step["came_from"]))
    elif action == "receive" and code.receive is not None:
        code.receive(step, work)
    elif action == "send":
        if not work.check:
            ledger.goes(kind, step["uuid"], step["to"])
        code.send(step, work)
    else:
        code.stay(step, work)
        if not work.check:
            ledger.goes(kind, step["uuid"], "")


def _is_time_to_tell(begun: float, running: Mapping[Any, Tuple[int, float]]) -> bool:
    now = time.monotonic()
    return now - begun > SPELL and all(now - since <= SPELL for _number, since in running.values())


def _told(error: Exception) -> str:
    where = traceback.extract_tb(error.__traceback__)[-1]
    at = "{0}:{1}".format(os.path.basename(where.filename), where.lineno)
    return str(Failed(UNEXPECTED, "{0}: {1} ({2})".format(type(error).__name__, error, at)))


def outcome(step: HostStep, status: str, changed: bool = False, done: Sequence[str] = (), error: str = "") -> Outcome:
    return {
        "number": step["number"],
        "address": step["address"],
        "action": step["action"],
        "status": status,
        "changed": changed,
        "done": list(done),
        "error": error,
        "seconds": 0.0,
    }


@contextlib.contextmanager
def alone() -> Iterator[None]:
    """One run at a time on a host."""
    paths.directory(paths.ROOT, paths.PASSABLE)
    try:
        handle = os.open(paths.LOCK, os.O_RDWR | os.O_CREAT, paths.PRIVATE)
    except OSError as error:
        raise Failed(paths.UNWRITABLE, "Cannot write {0}: {1}.".format(paths.LOCK, error.strerror)) from error
    try:
        until = time.monotonic() + PATIENCE
        while True:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > until:
                    text = (
                        "Another run has been at work on this host for more than {0} seconds. Wait for it, or end it."
                    )
                    raise Failed(BUSY, text.format(PATIENCE)) from None
                time.sleep(0.1)
        yield
    finally:
        os.close(handle)
