"""Kills an apply in its middle, again and again, and each time shows that nothing was lost, doubled or left over.

A kill counts when the process was there, the store knew of its run, and it died by the signal. What comes after each:
one apply, which has to end well; a plan, which has to be empty; and hosts that have exactly what they had when the same
spec was applied undisturbed. `scripts/kills` is this for people; the seed that it prints repeats its choices.
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from stead.store import Store, open_store

STEAD = Path(sys.executable).with_name("stead")
LOOK = 0.002  # seconds between looks for a run that begins
MOST_MISSED = 20  # of one victim, one after another: then it is not there to be killed
BEGINS_WITHIN = 300.0  # a machine that does much else needs many times the usual second
State = Mapping[str, Sequence[str]]


class World(Protocol):
    """The hosts below a site, as far as a killer has to know them."""

    victims: Sequence[str]

    @property
    def inventory(self) -> Path: ...

    def strike(self, apply: subprocess.Popen[str], victim: str) -> list[int]:
        """Kills it, and returns the processes that died of that; none when there was none any more."""

    def state(self) -> State:
        """All that Stead could have left on hosts. The same spec has the same, whatever happened before."""

    def check(self) -> None:
        """What holds of any spec: no domain twice, no lock that nobody holds."""


@dataclass
class Tally:
    kills: Counter[str] = field(default_factory=Counter)
    processes: Counter[str] = field(default_factory=Counter)
    missed: Counter[str] = field(default_factory=Counter)
    undone: int = 0  # kills that left steps of the run undone
    converged: int = 0

    def rows(self) -> Iterator[str]:
        for victim, times in sorted(self.kills.items()):
            died, late = self.processes[victim], self.missed[victim]
            yield f"{victim}: {times} killed in a run ({died} processes died), {late} too late"
        yield f"converged after {self.converged} of {self.kills.total()}; {self.undone} left steps of their run undone"


@dataclass
class Killing:
    """A site whose spec changes to and fro while its applies are killed."""

    folder: Path
    world: World
    specs: Sequence[str]
    seed: int
    tally: Tally = field(default_factory=Tally)
    say: Callable[[str], None] = print

    def __post_init__(self) -> None:
        self.random = random.Random(self.seed)  # noqa: S311 - a seed that repeats it is what is wanted
        self.now = 0
        self.undisturbed: dict[int, State] = {}
        self.spans: dict[int, float] = {}  # seconds that a run to this spec takes

    def prepare(self) -> None:
        """Each spec once, undisturbed: what hosts have then is what they have to have ever after."""
        self.write(0)
        subprocess.run(self.words("plan"), cwd=self.folder, capture_output=True, check=True)  # makes the store
        for number in [*range(len(self.specs)), 0]:
            self.write(number)
            with self.started() as apply:
                begun = self.begun(apply)
                self.well(apply)
                self.spans[number] = time.monotonic() - begun if begun else 0.1
            self.assert_empty()
            self.undisturbed[number] = self.world.state()

    def kill(self, times: int) -> Tally:
        before, late = sum(self.tally.kills.values()), 0
        while (done := sum(self.tally.kills.values()) - before) < times:
            victim = self.world.victims[done % len(self.world.victims)]  # again, if it was too late
            self.write(self.random.choice([one for one in range(len(self.specs)) if one != self.now]))
            try:
                missed = self.tally.missed[victim]
                self.once(victim)
                self.converge()
                late = late + 1 if self.tally.missed[victim] > missed else 0
                assert late < MOST_MISSED, f"{late} times in turn there was none to kill"
            except AssertionError as error:
                raise AssertionError(
                    f"seed {self.seed}, after {self.tally.kills.total()} kills ({victim}): {error}"
                ) from error
            if self.tally.kills.total() % 10 == 0 and self.tally.kills.total() != before + done:
                self.say(f"seed {self.seed}: {self.tally.kills.total()} kills, {self.tally.converged} converged")
        return self.tally

    def once(self, victim: str) -> None:
        with self.started() as apply:
            begun = self.begun(apply)
            time.sleep(self.random.uniform(0, self.spans[self.now]))  # the moment is the only thing left to chance
            running = begun and apply.poll() is None
            died = self.world.strike(apply, victim) if running else []
            apply.communicate(timeout=BEGINS_WITHIN)
            if not died or (victim == "stead" and apply.returncode != -signal.SIGKILL):
                self.tally.missed[victim] += 1
                return
        with self.opened() as store:
            run = store.runs(1)[0]
        self.tally.undone += run.done < run.steps
        self.tally.kills[victim] += 1
        self.tally.processes[victim] += len(died)

    def converge(self) -> None:
        with self.started() as apply:
            self.well(apply)
        self.assert_empty()
        has, had = self.world.state(), self.undisturbed[self.now]
        assert has == had, "\n".join(differences(had, has))
        self.world.check()
        self.tally.converged = self.tally.kills.total()

    def destroy(self) -> None:
        words = self.words("destroy", "--auto-approve", "--max-disruption", "data-loss")
        subprocess.run(words, cwd=self.folder, capture_output=True, check=True)

    def write(self, number: int) -> None:
        self.now = number
        (self.folder / "stead.yml").write_text(self.specs[number], encoding="utf-8")

    def words(self, *words: str) -> list[str]:
        return [str(STEAD), words[0], "-i", str(self.world.inventory), *words[1:]]

    @contextmanager
    def started(self) -> Iterator[subprocess.Popen[str]]:
        words = self.words("apply", "--auto-approve", "--max-disruption", "data-loss")
        said = (self.folder / "said").open("w")
        with said:
            apply = subprocess.Popen(words, cwd=self.folder, stdout=said, stderr=said, text=True)
        try:
            yield apply
        finally:
            if apply.poll() is None:
                apply.kill()
                apply.wait()

    def begun(self, apply: subprocess.Popen[str]) -> float:
        """When the store knew of its run; 0 when there was nothing to do."""
        until = time.monotonic() + BEGINS_WITHIN
        with self.opened() as store:
            before = max((one.id for one in store.runs(1)), default=0)
            while apply.poll() is None and time.monotonic() < until:
                if max((one.id for one in store.runs(1)), default=0) > before:
                    return time.monotonic()
                time.sleep(LOOK)
        return 0.0

    @contextmanager
    def opened(self) -> Iterator[Store]:
        store = open_store("", directory=self.folder / ".stead")
        try:
            yield store
        finally:
            store.close()

    def well(self, apply: subprocess.Popen[str]) -> None:
        apply.communicate(timeout=BEGINS_WITHIN)
        said = (self.folder / "said").read_text(encoding="utf-8")
        assert apply.returncode == 0, said
        assert "Traceback" not in said, said

    def assert_empty(self) -> None:
        words = self.words("plan", "--detailed-exitcode")
        done = subprocess.run(words, cwd=self.folder, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr


def differences(had: State, has: State) -> Iterator[str]:
    for name in sorted({*had, *has}):
        before, after = Counter(had.get(name, ())), Counter(has.get(name, ()))
        yield from (f"{name}: lost {one}" for one in before - after)
        yield from (f"{name}: new {one}" for one in after - before)


def slain(pids: Sequence[int]) -> list[int]:
    """Those that were there and are gone: a number that names another process by now does not count."""
    was = {pid: born for pid in pids if (born := birth(pid))}
    for pid in was:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    for pid, born in was.items():
        while birth(pid) == born:
            time.sleep(LOOK)
    return list(was)


def birth(pid: int) -> str:
    """The moment in which a process was born; nothing of one that is dead, buried or not."""
    try:
        words = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(") ")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return ""
    return "" if words[0] in "ZX" else words[19]


def children(pid: int) -> list[int]:
    """And theirs. A process that ends meanwhile has none."""
    found: list[int] = []
    for path in Path(f"/proc/{pid}/task").glob("*/children"):
        with suppress(FileNotFoundError, ProcessLookupError):
            for child in map(int, path.read_text(encoding="utf-8").split()):
                found += [child, *children(child)]
    return found
