"""Vector bin packing instances in `.vbp` format: read, packed with `pack`, and set beside a bound.

The format: number of dimensions; capacity of a bin; number of kinds of items; then one line per kind with its size in
each dimension and how many there are. Blank lines and extra white space do not matter.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import NamedTuple

from stead.blueprint.placement.model import Host, Policy, Problem, Request, numbered
from stead.blueprint.placement.place import place


class Instance(NamedTuple):
    capacity: tuple[int, ...]
    items: tuple[tuple[tuple[int, ...], int], ...]  # size, how many


class Packed(NamedTuple):
    name: str
    bins: int
    bound: int
    seconds: float

    @property
    def gap(self) -> float:
        return self.bins / self.bound - 1 if self.bound else 0.0


class NotVbpError(ValueError):
    """The file is not what it says it is; the message says where."""


def read(text: str, name: str = "instance") -> Instance:
    try:
        numbers = [int(word) for word in text.split()]
        dimensions = numbers[0]
        capacity = tuple(numbers[1 : 1 + dimensions])
        kinds = numbers[1 + dimensions]
        rows = numbers[2 + dimensions :]
        width = dimensions + 1
        if len(capacity) != dimensions or len(rows) != kinds * width:
            raise NotVbpError(f"{name}: {kinds} kinds of {dimensions} dimensions need {kinds * width} numbers")
    except (ValueError, IndexError) as error:
        raise NotVbpError(f"{name}: not in .vbp format: {error}") from error
    lines = [tuple(rows[i * width : (i + 1) * width]) for i in range(kinds)]
    return Instance(capacity, tuple((line[:-1], line[-1]) for line in lines))


def problem(instance: Instance) -> Problem:
    total = sum(count for _, count in instance.items)
    capacity = {f"d{k}": amount for k, amount in enumerate(instance.capacity)}
    hosts = [Host(name=f"bin{i:06d}", capacity=capacity) for i in range(total)]
    requests = [
        Request(id=f"item{j:05d}", members=numbered(f"item{j:05d}", count), demand=_demand(size))
        for j, (size, count) in enumerate(instance.items)
    ]
    return Problem(hosts=hosts, requests=requests, policy=Policy.PACK)


def _demand(size: tuple[int, ...]) -> dict[str, int]:
    return {f"d{k}": amount for k, amount in enumerate(size)}


def bound(instance: Instance) -> int:
    """The larger of total size over capacity, and the number of items above half a bin, in the tightest dimension."""
    volume, big = 0, 0
    for k, capacity in enumerate(instance.capacity):
        if capacity:
            total = sum(size[k] * count for size, count in instance.items)
            volume = max(volume, -(-total // capacity))
            big = max(big, sum(count for size, count in instance.items if 2 * size[k] > capacity))
    return max(volume, big)


def solve(text: str, name: str) -> Packed:
    instance = read(text, name)
    asked = problem(instance)
    start = time.process_time()
    placement = place(asked)
    seconds = time.process_time() - start
    if placement.unplaced:
        raise NotVbpError(f"{name}: an item is larger than a bin")
    return Packed(name, len(set(placement.assignment.values())), bound(instance), seconds)


def solve_all(folder: Path) -> list[Packed]:
    return [solve(path.read_text(), path.name) for path in sorted(folder.rglob("*.vbp"))]
