"""Vector bin packing instances in `.vbp` format: read, packed with `pack`, and set beside a bound.

The format: number of dimensions; capacity of a bin; number of kinds of items; then one line per kind with its size in
each dimension and how many there are. Also read are files whose lines leave out how many (each item is its own line)
and those of one dimension that are only a count, a capacity and sizes. Blank lines, white space and `#` comments do
not matter.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

from stead.blueprint.placement.model import PlacementHost, Policy, Problem, Request, numbered
from stead.blueprint.placement.place import place

SECONDS = 20.0  # for the bound of a file


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
        numbers = [int(word) for line in text.splitlines() for word in line.partition("#")[0].split()]
        found = _instance(numbers, name)
    except NotVbpError:
        raise
    except (ValueError, IndexError) as error:
        raise NotVbpError(f"{name}: not in .vbp format: {error}") from error
    if any(size < 0 for size in (*found.capacity, *(size for sizes, _ in found.items for size in sizes))):
        raise NotVbpError(f"{name}: a capacity or a size is below zero")
    if any(count < 0 for _, count in found.items):
        raise NotVbpError(f"{name}: there are fewer than none of an item")
    if any(s > c for sizes, count in found.items if count for s, c in zip(sizes, found.capacity, strict=True)):
        raise NotVbpError(f"{name}: an item is larger than a bin")
    return found


def _instance(numbers: list[int], name: str) -> Instance:
    if len(numbers) > 3 and len(numbers) == numbers[0] + 2:  # a count, a capacity and sizes
        return Instance((numbers[1],), _counted([(size,) for size in numbers[2:]]))
    dimensions = numbers[0]
    capacity = tuple(numbers[1 : 1 + dimensions])
    kinds = numbers[1 + dimensions]
    rows = numbers[2 + dimensions :]
    if kinds < 1 or len(capacity) != dimensions or len(rows) not in (kinds * dimensions, kinds * (dimensions + 1)):
        need = f"{kinds * (dimensions + 1)} numbers, or {kinds * dimensions} without how many"
        raise NotVbpError(f"{name}: {kinds} kinds of {dimensions} dimensions need {need}, and there are {len(rows)}")
    width = len(rows) // kinds
    lines = [tuple(rows[i * width : (i + 1) * width]) for i in range(kinds)]
    if width == dimensions:
        return Instance(capacity, _counted(lines))
    return Instance(capacity, tuple((line[:-1], line[-1]) for line in lines))


def _counted(sizes: list[tuple[int, ...]]) -> tuple[tuple[tuple[int, ...], int], ...]:
    return tuple(Counter(sizes).items())


def problem(instance: Instance) -> Problem:
    total = sum(count for _, count in instance.items)
    capacity = {f"d{k}": amount for k, amount in enumerate(instance.capacity)}
    hosts = [PlacementHost(name=f"bin{i:06d}", capacity=capacity) for i in range(total)]
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


def best_bound(instance: Instance, asked: Problem, bins: int) -> int:
    """The linear program over patterns where the plain bound leaves a gap and highspy is there."""
    plain = bound(instance)
    if plain == bins or find_spec("highspy") is None:
        return plain
    import patterns

    return max(plain, patterns.pack_bound(asked, SECONDS))


def solve(text: str, name: str) -> Packed:
    instance = read(text, name)
    asked = problem(instance)
    start = time.process_time()
    placement = place(asked)
    seconds = time.process_time() - start
    bins = len(set(placement.assignment.values()))
    return Packed(name, bins, best_bound(instance, asked, bins), seconds)


def solve_all(folder: Path) -> Iterator[Packed | NotVbpError]:
    """One file that is no instance does not keep the others from being solved."""
    for path in sorted(folder.rglob("*.vbp")):
        try:
            yield solve(path.read_text(), path.name)
        except NotVbpError as error:
            yield error
        except (OSError, UnicodeDecodeError) as error:
            yield NotVbpError(f"{path.name}: cannot be read: {error}")
