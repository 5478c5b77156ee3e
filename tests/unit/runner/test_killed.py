"""A run that is killed at any point leaves nothing unknown and nothing orphaned, and the next run finishes the work."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from tests.unit.runner.making import NET, Bench, gone, keep, net_step, plan_of, small, step, web

from stead.core.effect import Action
from stead.plan.model import Plan
from stead.store.model import Outcome, StepState

HOSTS = 12
EACH = 40  # instances a host: enough for several chunks, and for the kill to fall in different places
ROUNDS = 12
MOST_ROUNDS = 60  # where none of the first fell into a step
PROGRAM = """
import sys
from pathlib import Path
from stead.runner import simulated
from tests.unit.runner.making import Bench
from tests.unit.runner.test_killed import HOSTS, many
simulated.CHUNK = 50
bench = Bench(Path(sys.argv[1]), HOSTS)
plan = bench.fresh(many(sys.argv[2] == "down"))
print("ready", flush=True)
bench.apply(plan)
"""


def many(down: bool = False) -> Plan:
    """All of a site made, or all of it destroyed but the network."""
    names = [f"compute-{number + 1}" for number in range(HOSTS)]
    places = [(web(at * EACH + number), name) for at, name in enumerate(names) for number in range(EACH)]
    if down:
        steps = [step(address, name, Action.DESTROY) for address, name in places]
        return plan_of(steps, [gone(address) for address, _ in places])
    steps = [net_step(name) for name in names]
    steps += [step(address, name, after=(names.index(name),)) for address, name in places]
    return plan_of(steps, [keep(NET), *(keep(address, name) for address, name in places)])


def kill_after(home: Path, what: str, delay: float) -> None:
    root = Path(__file__).parents[3]
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, str(home), what], stdout=subprocess.PIPE, text=True, cwd=root
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    time.sleep(delay)
    process.send_signal(signal.SIGKILL)
    process.communicate(timeout=30)


def check_nothing_unknown(bench: Bench) -> int:
    """Whatever is on a host is recorded there, or stands in the journal as begun. And the other way round."""
    recorded = bench.store.recorded()
    there, known = set(bench.there()), set(bench.recorded())
    in_flight = {(str(one.address), one.host) for one in recorded.in_flight}
    assert there - known <= in_flight, "on a host, and nobody knows"
    assert known - there <= in_flight, "recorded, and not on its host"
    names = {str(address) for address in recorded.resources}
    assert {address for address, _ in there | in_flight} <= names, "begun without a record"
    return len(in_flight)


@pytest.mark.parametrize("what", ["up", "down"])
def test_a_killed_run_leaves_nothing_unknown(tmp_path: Path, what: str) -> None:
    chance = random.Random(7)  # noqa: S311 - when to strike
    reach = 0.12  # seconds that a run may take: how long it does is for the machine to say
    struck: set[int] = set()
    for number in range(MOST_ROUNDS):
        if number >= ROUNDS and 1 in struck:
            break
        home = tmp_path / str(number) / ".stead"
        if what == "down":
            before = Bench(home, HOSTS)
            before.apply(many())
            before.close()
        kill_after(home, what, chance.uniform(0, reach))
        bench = Bench(home, HOSTS)
        runs = bench.store.runs()
        struck.add(min(check_nothing_unknown(bench), 1) if runs else -1)
        if len(runs) == (what == "down"):  # it had not begun
            reach *= 1.3
        elif runs[0].outcome is Outcome.DONE:
            reach /= 1.3
        done = bench.apply(many(what == "down"))
        assert done.outcome is Outcome.DONE
        assert bench.store.recorded().in_flight == ()
        assert bench.there() == bench.recorded()
        states = {one.state for run in bench.store.runs() for one in bench.store.journal(run.id)}
        assert states <= {StepState.DONE, StepState.CUT}
        bench.close()
    assert 1 in struck, "no kill fell between a step's intent and its outcome: the test proves nothing"


@pytest.mark.parametrize("point", ["journal.began", "store.commit", "runner.commit", "journal.ended", "finish"])
def test_a_run_killed_at_each_turn_leaves_nothing_unknown(tmp_path: Path, point: str) -> None:
    """The same at chosen turns, which chance would rarely find."""
    home = tmp_path / ".stead"
    child = os.fork()
    if not child:
        _die_at(home, point)
    os.waitpid(child, 0)
    bench = Bench(home)
    assert bench.store.runs(), point
    check_nothing_unknown(bench)
    assert bench.apply(small()).outcome is Outcome.DONE
    assert bench.there() == bench.recorded()
    assert len(bench.there()) == 6
    bench.close()


def _die_at(home: Path, point: str) -> None:
    """In the child: the second time that this turn comes, if it comes twice, is killed just before it."""
    from stead.run.journal import RunJournal
    from stead.runner.simulated_steps import SimulatedSteps
    from stead.store.sql import SqlStore

    targets = {
        "journal.began": (RunJournal, "began"),
        "store.commit": (SqlStore, "write"),
        "runner.commit": (SimulatedSteps, "save"),
        "journal.ended": (RunJournal, "ended"),
        "finish": (SqlStore, "finish"),
    }
    owner, name = targets[point]

    def die(*_: object) -> None:
        os.kill(os.getpid(), signal.SIGKILL)

    setattr(owner, name, die)
    Bench(home).apply(small())
    os._exit(1)
