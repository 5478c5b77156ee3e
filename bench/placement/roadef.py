"""Google's ROADEF 2012 machine reassignment: read, improved by `rebalance`, judged by the challenge's own cost.

Hard constraints kept: capacity, transient resources (a move holds both ends), conflict (processes of a service on
different machines), spread (a service in so many locations) and dependency (both through the challenge's own check:
a result that breaks one is reported as such). Costs: load above safety capacity, balance, process, service and
machine move costs.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple, TypeVar

from stead.blueprint.placement.model import GroupKind, Placement, PlacementGroup, PlacementHost, Problem, Request
from stead.blueprint.placement.moves.rebalance import rebalance

T = TypeVar("T")


@dataclass(slots=True)
class Model:
    """Indices as in the files. `transient[r]`, machines and processes in the order of the file."""

    transient: list[bool] = field(default_factory=list)
    load_weight: list[int] = field(default_factory=list)
    neighborhood: list[int] = field(default_factory=list)
    location: list[int] = field(default_factory=list)
    capacity: list[list[int]] = field(default_factory=list)
    safety: list[list[int]] = field(default_factory=list)
    move_cost: list[list[int]] = field(default_factory=list)
    spread: list[int] = field(default_factory=list)
    depends: list[list[int]] = field(default_factory=list)
    service: list[int] = field(default_factory=list)
    needs: list[list[int]] = field(default_factory=list)
    process_cost: list[int] = field(default_factory=list)
    balances: list[tuple[int, int, int, int]] = field(default_factory=list)  # r1, r2, target, weight
    weights: tuple[int, int, int] = (0, 0, 0)  # process, service, machine move cost


class Solved(NamedTuple):
    name: str
    before: int
    after: int
    bound: int
    moves: int
    valid: bool
    seconds: float


class NotRoadefError(ValueError):
    """The files are not what they say they are; the message says where."""


class _Numbers:
    def __init__(self, text: str) -> None:
        self.words = text.split()
        self.at = 0

    def take(self) -> int:
        if self.at == len(self.words):
            raise NotRoadefError(f"the file ends after {self.at} numbers, and says that there are more")
        word = self.words[self.at]
        self.at += 1
        if not word.isdecimal():
            raise NotRoadefError(f"number {self.at} is {word[:20]!r}, which is none")
        return int(word)

    def index(self, count: int, what: str) -> int:
        found = self.take()
        if found >= count:
            raise NotRoadefError(f"number {self.at} is {what} {found}, and there are {count}")
        return found

    def end(self) -> None:
        if self.at < len(self.words):
            raise NotRoadefError(f"there are {len(self.words) - self.at} numbers after the end")

    def row(self, count: int) -> list[int]:
        return [self.take() for _ in range(count)]


def read(text: str) -> Model:
    numbers, model = _Numbers(text), Model()
    for _ in range(numbers.take()):
        model.transient.append(bool(numbers.take()))
        model.load_weight.append(numbers.take())
    resources, machines = len(model.transient), numbers.take()
    for _ in range(machines):
        model.neighborhood.append(numbers.take())
        model.location.append(numbers.take())
        model.capacity.append(numbers.row(resources))
        model.safety.append(numbers.row(resources))
        model.move_cost.append(numbers.row(machines))
    services = numbers.take()
    for _ in range(services):
        model.spread.append(numbers.take())
        model.depends.append([numbers.index(services, "service") for _ in range(numbers.take())])
    for _ in range(numbers.take()):
        model.service.append(numbers.index(services, "service"))
        model.needs.append(numbers.row(resources))
        model.process_cost.append(numbers.take())
    for _ in range(numbers.take()):
        first, second = (numbers.index(resources, "resource") for _ in range(2))
        model.balances.append((first, second, numbers.take(), numbers.take()))
    process, service, machine = numbers.row(3)
    model.weights = (process, service, machine)
    numbers.end()
    return model


def read_assignment(text: str, model: Model) -> list[int]:
    numbers = _Numbers(text)
    found = [numbers.index(len(model.capacity), "machine") for _ in model.service]
    numbers.end()
    if not valid(model, found, found):
        raise NotRoadefError("this assignment breaks a rule to begin with")
    return found


def _use(model: Model, at: list[int]) -> list[list[int]]:
    use = [[0] * len(model.transient) for _ in model.capacity]
    for process, machine in enumerate(at):
        for r, amount in enumerate(model.needs[process]):
            use[machine][r] += amount
    return use


def cost(model: Model, at: list[int], start: list[int]) -> int:
    use = _use(model, at)
    total = 0
    for machine, row in enumerate(use):
        for r, weight in enumerate(model.load_weight):
            total += weight * max(0, row[r] - model.safety[machine][r])
        left = [capacity - used for capacity, used in zip(model.capacity[machine], row, strict=True)]
        total += sum(weight * max(0, target * left[a] - left[b]) for a, b, target, weight in model.balances)
    moved = [process for process, machine in enumerate(at) if machine != start[process]]
    per_service = Counter(model.service[process] for process in moved)
    process_weight, service_weight, machine_weight = model.weights
    total += process_weight * sum(model.process_cost[process] for process in moved)
    total += service_weight * max(per_service.values(), default=0)
    return total + machine_weight * sum(model.move_cost[start[process]][at[process]] for process in moved)


def lower_bound(model: Model, at: list[int]) -> int:
    """Load above all safety capacity together cannot be moved away; the balance cost likewise in sum."""
    use = [sum(model.needs[process][r] for process in range(len(at))) for r in range(len(model.transient))]
    total = 0
    for r, weight in enumerate(model.load_weight):
        total += weight * max(0, use[r] - sum(row[r] for row in model.safety))
    capacity = [sum(row[r] for row in model.capacity) for r in range(len(use))]
    for a, b, target, weight in model.balances:
        total += weight * max(0, target * (capacity[a] - use[a]) - (capacity[b] - use[b]))
    return total


def valid(model: Model, at: list[int], start: list[int]) -> bool:
    use = _use(model, at)
    for process, machine in enumerate(start):
        if at[process] != machine:
            for r, transient in enumerate(model.transient):
                use[machine][r] += model.needs[process][r] if transient else 0
    if any(
        used > most for row, cap in zip(use, model.capacity, strict=True) for used, most in zip(row, cap, strict=True)
    ):
        return False
    pairs = [(model.service[process], machine) for process, machine in enumerate(at)]
    if len(set(pairs)) < len(pairs):
        return False
    locations: dict[int, set[int]] = {}
    neighborhoods: dict[int, set[int]] = {}
    for service, machine in pairs:
        locations.setdefault(service, set()).add(model.location[machine])
        neighborhoods.setdefault(service, set()).add(model.neighborhood[machine])
    if any(len(locations.get(s, ())) < least for s, least in enumerate(model.spread) if s in locations):
        return False
    return all(
        neighborhoods[s] <= neighborhoods.get(other, set())
        for s, row in enumerate(model.depends)
        if s in neighborhoods
        for other in row
    )


def problem(model: Model, at: list[int]) -> tuple[Problem, Placement]:
    """Services that depend or must spread over locations stay where they are: our groups say neither exactly."""
    bound = {s for s, row in enumerate(model.depends) if row} | {o for row in model.depends for o in row}
    bound |= {s for s, least in enumerate(model.spread) if least > 1}
    names = [f"r{r}" for r in range(len(model.transient))]
    hosts = [
        PlacementHost(name=f"m{m:06d}", zone=str(model.location[m]), capacity=dict(zip(names, row, strict=True)))
        for m, row in enumerate(model.capacity)
    ]
    requests = [
        Request(
            id=f"p{p:07d}",
            members=(f"p{p:07d}",),
            demand=dict(zip(names, needs, strict=True)),
            groups=(PlacementGroup(name=f"s{model.service[p]}", kind=GroupKind.SPREAD),),
        )
        for p, needs in enumerate(model.needs)
    ]
    pinned = frozenset(f"p{p:07d}" for p, service in enumerate(model.service) if service in bound)
    assignment = {f"p{p:07d}": f"m{machine:06d}" for p, machine in enumerate(at)}
    return Problem(hosts=hosts, requests=requests, pinned=pinned), Placement(assignment=assignment, reasons={})


def _of(path: Path, reader: Callable[[str], T]) -> T:
    try:
        return reader(path.read_text())
    except NotRoadefError as error:
        raise NotRoadefError(f"{path.name}: {error}") from error
    except (OSError, UnicodeDecodeError) as error:
        raise NotRoadefError(f"{path.name}: cannot be read: {error}") from error


def solve(model_path: Path, assignment_path: Path, moves: int = 5_000) -> Solved:
    model = _of(model_path, read)
    start = _of(assignment_path, lambda text: read_assignment(text, model))
    asked, placement = problem(model, start)
    clock = time.process_time()
    done = rebalance(asked, placement, moves)
    seconds = time.process_time() - clock
    at, best = list(start), (cost(model, start, start), 0)
    after = list(start)
    for i, move in enumerate(done.moves, 1):
        at[int(move.member[1:])] = int(move.target[1:])
        now = cost(model, at, start) if i == len(done.moves) or i % max(1, len(done.moves) // 50) == 0 else None
        if now is not None and now < best[0] and valid(model, at, start):
            best, after = (now, i), list(at)
    lowest = lower_bound(model, start)
    return Solved(
        model_path.name, cost(model, start, start), best[0], lowest, best[1], valid(model, after, start), seconds
    )
