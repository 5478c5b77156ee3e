"""`stead watch` acts on a host that died, and never on an alarm that is false."""

from __future__ import annotations

from random import Random

import pytest
from sequences import dice_of

from stead.watch.deciding import HostVerdict, Sight, Suspicion, WatchedHosts, WatchPolicy, decide

HOSTS = tuple(f"h{at}" for at in range(7))
EVERY = 4.0
ROUNDS = 12
POLICY = WatchPolicy()


class World:
    """What the watcher and neighbours see: hosts without power, cut off, or late; links that fail for a while."""

    def __init__(self, dice: Random) -> None:
        self.dice = dice
        self.dead: set[str] = set()
        self.unheard: set[str] = set()  # by the watcher alone
        self.late = 0.0  # how often a host that lives does not answer in time
        self.apart: set[str] = set()  # a part of the network, without the watcher

    def sight(self) -> Sight:
        answers = frozenset(one for one in HOSTS if one not in self.unheard | self.apart and self._in_time(one))
        views = {one: self._views(one, sorted(answers)) for one in HOSTS if one not in answers}
        return Sight(answers, views)

    def _in_time(self, host: str) -> bool:
        return host not in self.dead and self.dice.random() >= self.late

    def _views(self, host: str, answers: list[str]) -> tuple[bool, ...]:
        asked = self.dice.sample(answers, min(3, len(answers)))
        return tuple(host not in self.apart and self._in_time(host) for _ in asked)


def decided(before: Suspicion, world: World, at: float, tried: int = 0) -> tuple[Suspicion, list[HostVerdict]]:
    return decide(POLICY, before, world.sight(), WatchedHosts(frozenset(HOSTS), tried=tried), at)


def watched(world: World, *, rounds: int = ROUNDS, tried: int = 0) -> list[HostVerdict]:
    suspicion, found = Suspicion(), list[HostVerdict]()
    for at in range(rounds):
        suspicion, verdicts = decided(suspicion, world, at * EVERY, tried=tried)
        found += verdicts
    return found


def false_alarm(dice: Random) -> World:
    world = World(dice)
    match dice.choice(["watcher cut off", "one path", "late", "switch", "short"]):
        case "watcher cut off":
            world.unheard = {*HOSTS} if dice.random() < 0.5 else {*dice.sample(HOSTS, dice.randrange(4, 7))}
            world.apart = set(world.unheard)
        case "one path":
            world.unheard = {*dice.sample(HOSTS, dice.randrange(1, 7))}
        case "late":
            world.late = dice.choice([0.05, 0.1, 0.2])
        case "switch":
            world.apart = {*dice.sample(HOSTS, dice.randrange(2, 7))}
        case _:
            pass
    return world


@pytest.mark.parametrize("lot", range(4))
def test_of_a_thousand_false_alarms_none_is_acted_on(lot: int) -> None:
    for seed in range(250):
        world = false_alarm(dice_of(seed + 250 * lot))
        assert not [one for one in watched(world) if one.evacuate], seed


def test_a_host_that_died_is_evacuated_within_fifteen_seconds() -> None:
    world = World(dice_of(1))
    world.dead = {"h3"}
    [first, *_] = watched(world, rounds=4)
    assert (first.host, first.evacuate) == ("h3", True)
    assert watched(world, rounds=3) == []  # 12 s are not over after the third look


@pytest.mark.parametrize("flaps", [1, 2])
def test_an_answer_in_between_begins_the_count_anew(flaps: int) -> None:
    world, suspicion = World(dice_of(1)), Suspicion()
    for at in range(12):
        world.dead = set() if at % (flaps + 1) == flaps else {"h3"}
        suspicion, verdicts = decided(suspicion, world, at * EVERY)
        assert verdicts == []


def test_who_slept_does_not_count_what_it_did_not_see() -> None:
    world, suspicion = World(dice_of(1)), Suspicion()
    world.dead = {"h3"}
    for at in (0.0, 1000.0, 2000.0, 3000.0):
        suspicion, verdicts = decided(suspicion, world, at)
        assert verdicts == []


def test_what_stands_against_it_is_told() -> None:
    world = World(dice_of(1))
    world.dead = {"h3"}
    assert "were tried within the hour" in watched(world, tried=1)[0].why
    world.dead = {"h3", "h4"}
    assert {one.why for one in watched(world)} == {
        "2 hosts are silent at once, and at most 1 may be evacuated in an hour"
    }
    world.dead = {*HOSTS[:4]}
    assert "only 3 of 7 hosts answer" in watched(world)[0].why
    waits = WatchPolicy(evacuate=False, patience=0.0, rounds=1)
    world.dead = {"h3"}
    _, [one] = decide(waits, Suspicion(), world.sight(), WatchedHosts(frozenset(HOSTS)), 0.0)
    assert (one.evacuate, one.why) == (False, "the policy is to wait for a person")
