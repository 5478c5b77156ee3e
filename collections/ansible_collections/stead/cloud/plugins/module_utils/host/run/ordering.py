"""The order of a host's steps: as the plan says, and by UUIDs in wants where the plan says nothing."""

from __future__ import annotations

from typing import Any, Dict, Iterator, List, Sequence, Set, Tuple, cast

from ..base.step import HostStep

Before = Dict[int, Set[int]]  # number -> those that it waits for


def ordered(steps: Sequence[HostStep]) -> List[HostStep]:
    """By number; and what names another by its UUID is made after it and goes before it, where the plan says nothing
    against it."""
    copies = [cast("HostStep", dict(step)) for step in sorted(steps, key=lambda step: step["number"])]
    made = [step for step in copies if step.get("want") is not None]
    gone = [step for step in copies if step.get("want") is None]
    before: Before = {step["number"]: set(step.get("after", ())) for step in copies}
    for first, later in _named(made, "want"):
        _wait(later, first, before)
    for first, later in _named(gone, "have"):
        _wait(first, later, before)
    for step in copies:
        step["after"] = sorted(before[step["number"]])
    return copies


def _named(steps: Sequence[HostStep], side: str) -> Iterator[Tuple[int, int]]:
    """Pairs of numbers: what is named, and what names it."""
    numbers = {step["uuid"]: step["number"] for step in steps}
    for step in steps:
        for uuid in sorted(numbers.keys() & set(_texts(step.get(side))) - {step["uuid"]}):
            yield numbers[uuid], step["number"]


def _wait(number: int, for_number: int, before: Before) -> None:
    if number not in _all_before(for_number, before):
        before[number].add(for_number)


def _texts(value: Any) -> List[str]:
    if isinstance(value, dict):
        return [text for one in value.values() for text in _texts(one)]
    if isinstance(value, list):
        return [text for one in value for text in _texts(one)]
    return [value] if isinstance(value, str) else []


def _all_before(number: int, before: Before) -> Set[int]:
    found: Set[int] = set()
    stack = [number]
    while stack:
        for one in before.get(stack.pop(), ()):
            if one not in found:
                found.add(one)
                stack.append(one)
    return found
