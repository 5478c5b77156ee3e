"""Diff to plan: steps in order, what the store shall keep, and the digest that names the whole."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping

from stead.blueprint.leases import UUID
from stead.blueprint.model import Blueprint, Settled
from stead.blueprint.silence import EVACUATED
from stead.core.address import Address
from stead.core.diagnostics import Code, Diagnostic
from stead.core.effect import Action, Disruption
from stead.core.kind import Kind
from stead.core.recorded import Record, Recorded
from stead.core.value import replace, value
from stead.core.want import canonical, digest
from stead.diff import Change, Diff
from stead.diff.drift import MOVED
from stead.diff.model import WAITS, Note
from stead.diff.revert import REVERTED
from stead.diff.wording import UNNAMED_FIELD
from stead.plan.model import Keep, Made, Plan, Step
from stead.plan.order import Ordered, arrange
from stead.plan.rollout import roll

PROTECTED = Code("STEAD-X010", "a protected resource would be destroyed")
TOO_DISRUPTIVE = Code("STEAD-X011", "a step disturbs more than is allowed")
UNKNOWN_EFFECT = Code("STEAD-X015", "the effect of a change is not known")

_LOSES = {
    Action.DESTROY: ("destroyed", "remove"),
    Action.REBUILD: ("rebuilt on a new root disk", "change"),
    Action.CREATE: ("made anew", "replace"),
}

Selected = Callable[[Address], bool]


@value
class Selection:
    """Which steps to take: those of `wanted` and what they need, unless taken `alone`; less `unwanted` and what needs
    those.
    """

    wanted: Selected | None = None
    unwanted: Selected | None = None
    alone: bool = False


EVERYTHING = Selection()


def build(
    diff: Diff,
    blueprint: Blueprint,
    recorded: Recorded,
    *,
    made: Made,
    kinds: Mapping[str, Kind],
    selection: Selection = EVERYTHING,
) -> tuple[Plan | None, list[Diagnostic]]:
    """`recorded` is as it will be once `diff.renames` are carried out."""
    lasting = frozenset(plural for plural, kind in kinds.items() if kind.stateful and not kind.mobile)
    locating = {plural: kind.locates for plural, kind in kinds.items() if kind.locates}
    leaving = {plural: kind.leaves for plural, kind in kinds.items() if kind.leaves is not None}
    ordered, found = arrange(diff.changes, blueprint, recorded.resources, lasting, locating, leaving)
    if found:
        return None, found
    selected = _select(ordered, selection, locating.keys())
    left_out = len(ordered.changes) - len(selected.changes)
    selected, rolled = roll(selected, blueprint, recorded.resources, kinds)
    steps = tuple(_steps(selected, kinds))
    notes = (*diff.notes, *rolled)
    if left_out:
        notes = (*notes, Note("left-out", f"{left_out} steps are left out by your selection."))
    whole = diff.of_spec and not left_out
    waiting = frozenset(note.address for note in diff.notes if note.code == WAITS)
    keeps = _keeps(steps, blueprint, recorded.resources, waiting, whole) if diff.of_spec else _kept(steps, recorded)
    outputs = blueprint.outputs if whole else recorded.outputs  # they may speak of what a part does not make
    plan = Plan(
        made=made,
        steps=steps,
        keeps=keeps,
        outputs=outputs,
        notes=notes,
        renames=diff.renames,
        unchanged=diff.unchanged,
        new_outputs=dict(outputs) != dict(recorded.outputs),
        silence=diff.silence,
    )
    return replace(plan, digest=digest_of(plan)), [*_protected(steps, blueprint, recorded), *_unknown(steps, keeps)]


def _select(ordered: Ordered, selection: Selection, locating: Collection[str]) -> Ordered:
    """Who moves is told of by the kinds that say where others are: that is part of the move."""
    changes, after, waves = ordered
    keep = set(range(len(changes)))
    if selection.wanted is not None:
        keep = {at for at in keep if selection.wanted(changes[at].address)}
        if not selection.alone:
            moved = {at for at in keep if changes[at].action is Action.MIGRATE}
            keep |= {at for at, one in enumerate(changes) if one.address.kind in locating and moved & {*after[at]}}
        for at in () if selection.alone else sorted(keep, reverse=True):  # numbers of what comes before are smaller
            keep |= _before(at, after)
    if selection.unwanted is not None:
        gone = {at for at in range(len(changes)) if selection.unwanted(changes[at].address)}
        for at in range(len(changes)):
            if gone.intersection(after[at]):
                gone.add(at)
        keep -= gone
    if len(keep) == len(changes):
        return ordered
    number = {old: new for new, old in enumerate(sorted(keep))}
    return Ordered(
        [changes[old] for old in number],
        [tuple(number[one] for one in after[old] if one in number) for old in number],
        [waves[old] for old in number],
    )


def _before(at: int, after: list[tuple[int, ...]]) -> set[int]:
    found: set[int] = set()
    stack = list(after[at])
    while stack:
        one = stack.pop()
        if one not in found:
            found.add(one)
            stack += after[one]
    return found


def _steps(ordered: Ordered, kinds: Mapping[str, Kind]) -> Iterator[Step]:
    for number, (change, after, wave) in enumerate(zip(*ordered, strict=True)):
        yield Step(
            number,
            change.address,
            change.host,
            change.action,
            change.want,
            change.have,
            change.disturbs,
            change.reasons,
            after,
            wave,
            change.changes,
            change.uuid,
            change.to,
            _loss(change, kinds) if change.disturbs is Disruption.DATA_LOSS else "",
            change.pause,
        )


def _loss(change: Change, kinds: Mapping[str, Kind]) -> str:
    why = {reason.code for reason in change.reasons}
    rebuilt = change.action is Action.REBUILD and kinds[change.address.kind].guest
    what = "the root disk of" if rebuilt else "everything on"
    what = "what was written after the snapshot to" if REVERTED in why else what
    what = f"{what} {kinds[change.address.kind].name} {change.address}"
    elsewhere = EVACUATED in why  # it is on a host that is dead
    return f"{what} ({change.host})" if change.host and not elsewhere else what


def _keeps(
    steps: tuple[Step, ...],
    blueprint: Blueprint,
    records: Mapping[Address, Record],
    waiting: frozenset[str],
    whole: bool,
) -> dict[Address, Keep]:
    """Of what has steps; and where everything is planned, of what differs only in the record. What a silent host may
    still have is recorded as it was: others go by that.
    """
    touched = dict.fromkeys(step.address for step in steps)
    keeps: dict[Address, Keep] = {}
    for address in touched:
        settled = blueprint.resources.get(address)
        keep = _keep(settled) if settled else Keep(address, {}, "", (), False, "", None)
        if settled and str(address) in waiting and (record := records.get(address)) is not None:
            keep = keep._replace(after=tuple(dict.fromkeys((*record.after, *keep.after))))
        keeps[address] = keep
    if not whole:
        return keeps
    for address, settled in blueprint.resources.items():
        known = address not in touched and str(address) not in waiting
        if known and (record := records.get(address)) is not None:
            keep = _keep(settled)
            if not _agrees(keep, record):
                keeps[address] = keep
    return keeps


def _keep(settled: Settled) -> Keep:
    block = settled.block
    return Keep(
        settled.address,
        settled.leases,
        settled.host,
        (*block.refs, *block.settings.depends_on),
        block.settings.protect,
        f"{settled.placed.code}: {settled.placed.text}" if settled.placed.code else "",
        block.place(),
    )


def _kept(steps: tuple[Step, ...], recorded: Recorded) -> dict[Address, Keep]:
    """Where only what hosts have is recorded: all that was chosen stays as it is, but the host of what has moved."""
    keeps: dict[Address, Keep] = {}
    for step in steps:
        record = recorded.resources[step.address]
        keep = keeps.get(step.address) or Keep(
            step.address, record.leases, record.host, record.after, record.protect, record.reason, None
        )
        keeps[step.address] = keep._replace(host=step.host) if MOVED in step.reasons else keep
    return keeps


def _agrees(keep: Keep, record: Record) -> bool:
    """The reason is history, not state: it may differ."""
    return (
        keep.host == record.host
        and keep.protect == record.protect
        and keep.after == record.after
        and keep.leases == record.leases
    )


def _protected(steps: tuple[Step, ...], blueprint: Blueprint, recorded: Recorded) -> list[Diagnostic]:
    """Neither destroyed nor made anew, with or without what it is called."""
    found = []
    named: set[Address] = set()
    for step in steps:
        record, settled = recorded.resources.get(step.address), blueprint.resources.get(step.address)
        if record is None or not _takes_away(step, record) or step.address in named:
            continue
        if not record.protect and not (settled is not None and settled.block.settings.protect):
            continue
        if settled is not None and step.host not in ("", record.host) and step.disturbs is not Disruption.DATA_LOSS:
            continue  # it only leaves a host that no longer needs it
        named.add(step.address)
        what, then = _LOSES[step.action]
        text = (
            f"{step.address} would be {what} ({step.reasons[0].text}), but it is protected. To allow this, "
            f"set `protect: false`, apply, and then {then} it; or `forget` it, which changes nothing on hosts."
        )
        found.append(PROTECTED.at(settled.block.place() if settled else None, text, address=str(step.address)))
    return found


def _takes_away(step: Step, record: Record) -> bool:
    """One that is made does so in the place of another, which a dead host has."""
    if step.action is Action.CREATE:
        return step.disturbs is Disruption.DATA_LOSS and step.uuid != record.leases.get(UUID)
    return step.action in _LOSES


def _unknown(steps: tuple[Step, ...], keeps: Mapping[Address, Keep]) -> Iterator[Diagnostic]:
    """Nothing is changed at a guess. Once for each resource: a step destroys it, and another makes it anew."""
    told: set[Address] = set()
    for step in steps:
        why = next((reason.text for reason in step.reasons if reason.code == UNNAMED_FIELD), "")
        if not why or step.address in told:
            continue
        told.add(step.address)
        text = (
            f"{step.address} on {step.host}: {why}. A newer version of Stead made it, or its kind does not name the "
            f"field in `effects`. Plan with that version, or replace the resource with --replace {step.address}."
        )
        yield UNKNOWN_EFFECT.at(
            keep.place if (keep := keeps.get(step.address)) else None, text, address=str(step.address)
        )


def too_disruptive(plan: Plan, most: Disruption) -> list[Diagnostic]:
    """What CI or a person does not allow. One diagnostic for each step, so that each is seen."""
    return [
        TOO_DISRUPTIVE.at(
            keep.place if (keep := plan.keeps.get(step.address)) else None,
            f"{step.action} of {step.address} on {step.host or 'the store'} disturbs {step.disturbs}"
            f"{f' ({step.loses} is lost)' if step.loses else ''}; at most {most} is allowed. "
            f"Allow it with --max-disruption {step.disturbs}, or change the spec.",
            address=str(step.address),
        )
        for step in plan.steps
        if step.disturbs.rank > most.rank
    ]


def digest_of(plan: Plan) -> str:
    """Names the plan: equal inputs give the same one, on any machine."""
    parts = [repr(plan.made)]
    parts += [_step_text(step) for step in plan.steps]
    parts += [
        f"{keep.address} {keep.host} {canonical(dict(keep.leases))} {keep.protect} {len(keep.after)}"
        for keep in plan.keeps.values()
    ]
    parts += [f"{old} -> {new}" for old, new in sorted(plan.renames.items(), key=str)]
    parts.append(canonical(plan.outputs))
    parts += [f"dead {name}" for name in plan.silence.dead] + [f"back {name}" for name in plan.silence.back]
    parts += [f"hears {name}" for name in plan.silence.hears]
    parts += [f"drained {name} {moved}" for name, moved in plan.silence.drained.items()]
    parts += [f"restored {name}" for name in plan.silence.restored]
    parts += [f"hook {canonical(one)}" for one in plan.hooks]
    return digest(*parts)


def _step_text(step: Step) -> str:
    want = step.want.digest if step.want else ""
    have = step.have.digest if step.have else ""
    why = ";".join([reason.code for reason in step.reasons])
    where = f"{step.address} {step.host} {step.to}"
    pause = f" pause {step.pause}" if step.pause else ""
    return f"{where} {step.action} {want} {have} {step.disturbs} {why} {step.after} {step.wave}{pause}"
