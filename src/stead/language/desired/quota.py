"""Adds up what each project takes and compares it with what it may have."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping

from stead.core.address import Address
from stead.core.diagnostics import Code, Diagnostic
from stead.core.kind import Kind
from stead.core.value import replace
from stead.language.desired.model import Block, Desired
from stead.language.desired.scope import Keys
from stead.language.reading.scalars import human
from stead.language.spec import Definition
from stead.language.spec.quota import quota_words

OVER = Code("STEAD-Q001", "a quota is exceeded")
PROJECTS = "projects"
FEW = 1_000  # members that are made in no time, so that it can be said which definition asks for most


def with_default(block: Block, default: Mapping[str, int]) -> Block:
    """The project with the site's limits where it says none."""
    if default.keys() <= block.model.quota.keys():
        return block
    return replace(block, model=replace(block.model, quota={**default, **block.model.quota}))


def too_many(
    projects: Mapping[str, Block], defined: Iterable[tuple[Definition, Keys]]
) -> dict[tuple[str, str], Diagnostic]:
    """By project and kind, before any member is made: a million may be written in one line."""
    numbers: Counter[tuple[str, str]] = Counter()
    for one, keys in defined:
        numbers[one.project, one.kind] += 1 if keys is None else len(keys)
    found = {}
    for (name, kind), number in sorted(numbers.items()):
        project = projects.get(name)
        most = project.model.quota.get(kind) if project is not None else None
        if project is not None and most is not None and number > max(most, FEW):
            text = (
                f"Project {name} requests {number:,} {kind}; the quota is {most:,}, exceeded by "
                f"{number - most:,}. Raise the quota or request less."
            )
            found[name, kind] = OVER.at(project.place(f"quota.{kind}"), text, address=str(project.members[0]))
    return found


def over_quota(desired: Desired, kinds: Mapping[str, Kind]) -> list[Diagnostic]:
    used: dict[str, Counter[str]] = {}
    largest: dict[tuple[str, str], tuple[int, Block]] = {}
    for block in desired.blocks:
        if not block.project:
            continue
        for what, amount in kinds[block.kind].counts(block, desired).items():
            total = amount * len(block.members)
            used.setdefault(block.project, Counter())[what] += total
            if total > largest.get((block.project, what), (0, block))[0]:
                largest[block.project, what] = (total, block)
    found, words = [], quota_words(kinds)
    for project, amounts in sorted(used.items()):
        owner = desired.get(Address("", PROJECTS, project))
        quota: Mapping[str, int] = owner.model.quota if owner else {}
        for what, total in sorted(amounts.items()):
            most = quota.get(what)
            if most is not None and total > most and owner is not None:
                shown = human if words[what].size else str
                found.append(_told(owner, what, (total, most), largest[project, what], shown))
    return found


def _told(
    owner: Block, what: str, sums: tuple[int, int], most: tuple[int, Block], shown: Callable[[int], str]
) -> Diagnostic:
    total, quota = sums
    amount, block = most
    text = (
        f"Project {owner.name} requests {shown(total)} {what}; the quota is {shown(quota)}, exceeded by "
        f"{shown(total - quota)}. The largest request, {shown(amount)}, is that of {block.members[0].block}. "
        "Raise the quota or request less."
    )
    return OVER.at(owner.place(f"quota.{what}"), text, address=str(owner.members[0]))
