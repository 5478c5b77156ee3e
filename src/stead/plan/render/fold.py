"""Steps that say the same, said once: the entries that every view shows.

A plan of a network on a thousand hosts is one entry with a thousand hosts; a hundred like instances are one entry
with a hundred members. Only what is truly alike is folded, so that no entry is a lie about one of its members.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from stead.blueprint.model import Reason
from stead.core.address import Address, order
from stead.core.effect import Action, Disruption
from stead.core.named import NamedTuple
from stead.core.value import value
from stead.core.want import Want
from stead.diff.model import FieldChange
from stead.plan.model import Plan, Step, clears
from stead.plan.render.highlights import highlights


class Atom(NamedTuple):
    """What is done to one resource, on every host where it is the same."""

    address: Address
    action: Action
    hosts: tuple[str, ...]
    to: str
    want: Want | None
    have: Want | None
    disturbs: Disruption
    reasons: tuple[Reason, ...]
    changes: tuple[FieldChange, ...]
    losses: tuple[str, ...]
    steps: int


@value
class FoldedChange:
    """Members of one block to which the same is done for the same reason."""

    atoms: Sequence[Atom]
    about: str  # what is worth knowing of something new

    @property
    def first(self) -> Atom:
        return self.atoms[0]

    @property
    def clears(self) -> bool:
        """Whether it goes from these hosts only, and stays on others."""
        return clears(self.first)

    @property
    def project(self) -> str:
        return self.first.address.project

    @property
    def addresses(self) -> list[Address]:
        return [atom.address for atom in self.atoms]

    @property
    def hosts(self) -> list[str]:
        return sorted({host for atom in self.atoms for host in atom.hosts})

    @property
    def drift(self) -> bool:
        """Whether the hosts changed and not the spec."""
        atom = self.first
        if atom.changes:
            return all(change.drift for change in atom.changes)
        return any(
            reason.code in ("drift", "lost", "ledger-lost", "accepted", "moved-by-hand") for reason in atom.reasons
        )


def fold(plan: Plan) -> list[FoldedChange]:
    """Sorted as people count: the site first, then by project, kind and name."""
    groups: dict[tuple[Any, ...], list[Atom]] = {}
    abouts = _Abouts()
    for atom in atoms(plan.steps):
        address = atom.address
        about = abouts.of(atom) if atom.action in (Action.CREATE, Action.REPLACE) else ""
        changes = repr(atom.changes) if atom.changes else ""
        key = (*address[:3], atom.action, atom.disturbs, atom.reasons, changes, about, bool(atom.to))
        groups.setdefault(key, []).append(atom)
    entries = [
        FoldedChange(atoms=sorted(group, key=lambda atom: order(atom.address)), about=key[7])
        for key, group in groups.items()
    ]
    return sorted(entries, key=lambda entry: (order(entry.first.address), entry.first.action))


def atoms(steps: Sequence[Step]) -> Iterator[Atom]:
    by_address: dict[Address, list[Step]] = {}
    for step in steps:
        by_address.setdefault(step.address, []).append(step)
    for some in by_address.values():
        if len(some) == 1:
            yield _atom(some)
            continue
        alike: dict[tuple[Any, ...], list[Step]] = {}
        replaced = _replaced(some)
        for step in some:
            if step.number in replaced:
                alike.setdefault(("replace",), []).append(step)
            else:
                alike.setdefault(_likeness(step), []).append(step)
        for key, like in alike.items():
            yield _atom(like, replaced=key == ("replace",))


def _likeness(step: Step) -> tuple[Any, ...]:
    """What is new is one thing on all its hosts, its home and those that only help it along."""
    if step.action is Action.CREATE and not step.changes:
        return (step.action,)
    want, have = step.want, step.have
    return (step.action, step.to, want and want.digest, have and have.digest, step.reasons, step.disturbs)


def _replaced(steps: Sequence[Step]) -> frozenset[int]:
    """The halves of a replacement: destroyed and made for the very same reason."""
    destroyed = {step.reasons for step in steps if step.action is Action.DESTROY}
    made = {step.reasons for step in steps if step.action is Action.CREATE}
    both = destroyed & made
    if not both:
        return frozenset()
    return frozenset(
        step.number for step in steps if step.action in (Action.DESTROY, Action.CREATE) and step.reasons in both
    )


def _atom(steps: Sequence[Step], *, replaced: bool = False) -> Atom:
    shown = next((step for step in steps if step.action is Action.CREATE), steps[0]) if replaced else steps[0]
    return Atom(
        shown.address,
        Action.REPLACE if replaced else shown.action,
        tuple(sorted({step.host for step in steps})) if len(steps) > 1 else (shown.host,),
        shown.to,
        shown.want,
        shown.have,
        max((step.disturbs for step in steps), key=lambda one: one.rank) if len(steps) > 1 else shown.disturbs,
        shown.reasons if len(steps) == 1 else tuple(dict.fromkeys(one for step in steps for one in step.reasons)),
        shown.changes,
        tuple(step.loses for step in steps if step.loses),
        len(steps),
    )


class _Abouts:
    """Highlights, made once for each body: bodies are few, members are many."""

    def __init__(self) -> None:
        self._of: dict[tuple[str, str], str] = {}

    def of(self, atom: Atom) -> str:
        if atom.want is None:
            return ""
        # What is a member's own stays out where there are several; it is shown beside the member.
        alone = atom.address.key is None
        key = (atom.address.kind, atom.want.digest if alone else atom.want.body.digest)
        if key not in self._of:
            fields: Mapping[str, Any] = atom.want.fields() if alone else atom.want.body.fields()
            self._of[key] = highlights(atom.address.kind, fields)
        return self._of[key]
