"""What a plan comes to, in words and numbers: the summary that all views share."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from stead.core.address import Address
from stead.core.effect import Action, Disruption
from stead.core.value import value
from stead.diff.model import Note
from stead.plan.model import Plan
from stead.plan.render.fold import FoldedChange
from stead.plan.render.names import count, of_addresses
from stead.plan.render.values import safe

SIGNS = {
    Action.CREATE: "+",
    Action.UPDATE: "~",
    Action.MIGRATE: ">",
    Action.REBOOT: "~",
    Action.REBUILD: "~",
    Action.REPLACE: "-/+",
    Action.DESTROY: "-",
    Action.FORGET: "x",
    Action.ADOPT: "=",
    Action.REGISTER: "=",
    Action.ACCEPT: "=",
}
# What happens to a resource as a whole, when its steps differ: the first of these that any of them is.
_STRONGEST = (
    Action.REPLACE,
    Action.REBUILD,
    Action.REBOOT,
    Action.MIGRATE,
    Action.UPDATE,
    Action.CREATE,
    Action.ADOPT,
    Action.REGISTER,
    Action.ACCEPT,
    Action.FORGET,
    Action.DESTROY,
)
SAID = (
    Action.CREATE,
    Action.UPDATE,
    Action.MIGRATE,
    Action.REBOOT,
    Action.REBUILD,
    Action.REPLACE,
    Action.DESTROY,
    Action.FORGET,
    Action.ADOPT,
    Action.REGISTER,
    Action.ACCEPT,
)
LOSSES_SHOWN = 10
NOTES_SHOWN = 5


@value
class Summary:
    """Counts of resources by what happens to them, and of steps by what they disturb."""

    actions: Mapping[Action, int]
    disturbs: Mapping[Disruption, int]
    worst: Disruption
    losses: Sequence[str]
    steps: int
    hosts: int
    waves: int
    unchanged: int
    renames: int
    recorded: int  # resources whose record alone changes
    outputs: bool  # they change
    waiting: Mapping[str, int]  # host -> how many wait for it
    dead: Sequence[str]  # hosts that a person says now are off
    back: Sequence[str]  # and those that answer again
    drained: Sequence[str]
    restored: Sequence[str]

    @property
    def nothing(self) -> bool:
        changes = self.steps or self.renames or self.recorded or self.outputs
        return not (changes or self.dead or self.back or self.drained or self.restored)


def summarise(plan: Plan, entries: Sequence[FoldedChange]) -> Summary:
    by_address: dict[Address, Action] = {}
    for entry in entries:
        action = entry.first.action
        for address in entry.addresses:
            other = by_address.get(address)
            if other is None or _STRONGEST.index(action) < _STRONGEST.index(other):
                by_address[address] = action
    for address, action in by_address.items():
        keep = plan.keeps.get(address)
        if action is Action.DESTROY and keep is not None and keep.leases:
            by_address[address] = Action.UPDATE  # it only leaves hosts that no longer need it
    disturbs: Counter[Disruption] = Counter(
        step.disturbs for step in plan.steps if step.disturbs is not Disruption.NONE
    )
    return Summary(
        actions=Counter(by_address.values()),
        disturbs=disturbs,
        worst=max(disturbs, key=lambda one: one.rank, default=Disruption.NONE),
        losses=[step.loses for step in plan.steps if step.loses],
        steps=len(plan.steps),
        hosts=len({step.host for step in plan.steps if step.host}),
        waves=plan.waves,
        unchanged=plan.unchanged,
        renames=len(plan.renames),
        recorded=sum(1 for address in plan.keeps if address not in by_address),
        outputs=plan.new_outputs,
        waiting={host: len(names) for host, names in plan.waiting.items()},
        dead=plan.silence.dead,
        back=plan.silence.back,
        drained=tuple(plan.silence.drained),
        restored=plan.silence.restored,
    )


def headline(summary: Summary) -> str:
    """`2 to create, 1 to reboot; 12 unchanged`."""
    parts = [f"{summary.actions[action]:,} to {action}" for action in SAID if summary.actions.get(action)]
    if summary.renames:
        parts.append(f"{summary.renames:,} renamed")
    if summary.recorded:
        parts.append(f"{summary.recorded:,} to record")
    if summary.outputs and not parts:
        parts.append("outputs change")
    parts += [f"{host} is dead" for host in summary.dead] + [f"{host} is back" for host in summary.back]
    parts += [f"{host} is drained" for host in summary.drained] + [f"{host} is restored" for host in summary.restored]
    if waiting := waits(summary):
        parts.append(waiting)
    return f"{', '.join(parts) or 'nothing to do'}; {summary.unchanged:,} unchanged"


def waits(summary: Summary) -> str:
    """`3 wait for compute-1`; nothing where nothing waits."""
    return ", ".join(
        f"{number:,} {'wait' if number > 1 else 'waits'} for {host or 'a host that does not answer'}"
        for host, number in summary.waiting.items()
    )


def confirmed(summary: Summary) -> Iterator[str]:
    yield from (f"You say that {host} is dead." for host in summary.dead)
    yield from (f"{host} answers again: it counts as dead no more." for host in summary.back)


def marked(summary: Summary) -> Iterator[str]:
    yield from (f"{host} gets nothing more until `stead restore {host}`." for host in summary.drained)
    yield from (f"{host} gets new resources again." for host in summary.restored)


def effort(summary: Summary) -> str:
    return (
        f"{count(summary.steps, 'step')} on {count(summary.hosts, 'host')} in {count(summary.waves, 'wave')}"
        if summary.steps
        else ""
    )


def disturbance(summary: Summary) -> str:
    """`data-loss (1 step), reboot (2 steps)`, worst first."""
    worst_first = sorted(summary.disturbs.items(), key=lambda item: -item[0].rank)
    return ", ".join(f"{one} ({count(number, 'step')})" for one, number in worst_first) or "nobody"


def losses(summary: Summary) -> Iterator[str]:
    yield from summary.losses[:LOSSES_SHOWN]
    if len(summary.losses) > LOSSES_SHOWN:
        yield f"… and {len(summary.losses) - LOSSES_SHOWN:,} more"


def noted(notes: Sequence[Note], *, every: bool = False) -> Iterator[str]:
    """Notes of one sort stand together; of many, a few and how many more."""
    by_code: dict[str, list[Note]] = {}
    for note in notes:
        by_code.setdefault(note.code, []).append(note)
    for some in by_code.values():
        shown = some if every else some[:NOTES_SHOWN]
        yield from (f"{safe(note.text)} [{note.code}]" for note in shown)
        if len(some) > len(shown):
            yield f"… and {len(some) - len(shown):,} more of these [{some[0].code}]"


def hooked(plan: Plan) -> Iterator[str]:
    """Playbooks that run on this machine, each with what it runs around."""
    groups: dict[tuple[str, str, str], dict[Action, list[Address]]] = {}
    for hook in plan.hooks:
        step = plan.steps[hook.step]
        groups.setdefault(hook[1:4], {}).setdefault(step.action, []).append(step.address)
    for (playbook, when, digest), actions in groups.items():
        around = "; ".join(f"{action} of {of_addresses(addresses)}" for action, addresses in actions.items())
        yield f"{safe(playbook)} ({digest[:12] or 'not read'}) {when} {around}"


def renamed(renames: Mapping[Address, Address]) -> Iterator[str]:
    """A block whose members all move is one line."""
    blocks: dict[tuple[Address, Address], int] = {}
    for old, new in renames.items():
        if old.key == new.key:
            blocks[old.block, new.block] = blocks.get((old.block, new.block), 0) + 1
    told: set[tuple[Address, Address]] = set()
    for old, new in sorted(renames.items(), key=str):
        pair = (old.block, new.block)
        if old.key == new.key and blocks[pair] > 1:
            if pair not in told:
                told.add(pair)
                yield f"{pair[0]} → {pair[1]} ({blocks[pair]:,} members)"
        else:
            yield f"{old} → {new}"
