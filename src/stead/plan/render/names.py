"""Many names as few words: `web[0..99]`, `compute-[1..3]`, "10 hosts". Nothing is lost but the tedium."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby

from stead.core.address import Address

_NUMBERED = re.compile(r"(.*?)(0|[1-9][0-9]*)", re.DOTALL)
KEYS_SHOWN = 6  # of names; numbers fold into ranges
HOSTS_SHOWN = 4


def of_addresses(addresses: Sequence[Address]) -> str:
    """Members of one block, without the project: `instances/web[0..2,5]`."""
    first = addresses[0]
    stem = f"{first.kind}/{first.name}"
    keys = [address.key for address in addresses if address.key is not None]
    return f"{stem}[{_keys(keys)}]" if keys else stem


def _keys(keys: Sequence[int | str]) -> str:
    numbers = sorted({key for key in keys if isinstance(key, int)})
    words = sorted({key for key in keys if isinstance(key, str)})
    parts = list(_short(list(ranges(numbers))))
    return ",".join(parts + list(_short(words)))


def ranges(numbers: Iterable[int]) -> Iterator[str]:
    """`0..2`, `5`; the numbers are sorted."""
    for _, group in groupby(enumerate(numbers), key=lambda pair: pair[1] - pair[0]):
        run = [number for _, number in group]
        if len(run) == 2:
            yield from map(str, run)
        else:
            yield f"{run[0]}..{run[-1]}" if len(run) > 2 else str(run[0])


def _short(names: Sequence[str]) -> Iterator[str]:
    yield from names[:KEYS_SHOWN]
    if len(names) > KEYS_SHOWN:
        yield f"… {len(names) - KEYS_SHOWN} more"


def of_hosts(hosts: Iterable[str], *, every: bool = False) -> str:
    """`compute-[1..3], storage-1`, or how many they are with two of them by name. Empty for what has no host."""
    names = sorted({host for host in hosts if host}, key=natural)
    folded = list(_folded(names))
    if every or len(folded) <= HOSTS_SHOWN:
        return ", ".join(folded)
    return f"{len(names)} hosts ({', '.join(folded[:2])}, …)"


def _folded(names: Sequence[str]) -> Iterator[str]:
    """The names are in natural order, so those that differ in their last number stand together."""
    for stem, group in groupby(names, key=_stem):
        some = list(group)
        if stem is None or len(some) < 3:
            yield from some
            continue
        runs = list(ranges(sorted(int(name[len(stem) :]) for name in some)))
        yield f"{stem}[{','.join(_short(runs))}]"


def _stem(name: str) -> str | None:
    match = _NUMBERED.fullmatch(name)
    return match[1] if match else None


def natural(name: str) -> tuple[str, int, str]:
    """`compute-2` before `compute-10`."""
    match = _NUMBERED.fullmatch(name)
    return (match[1], int(match[2]), "") if match else (name, -1, "")


def count(number: int, noun: str, plural: str = "") -> str:
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"
