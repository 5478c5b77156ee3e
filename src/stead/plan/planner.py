"""The pipeline from desired, recorded and observed to a plan, as one pure function."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from stead import __version__
from stead.blueprint.model import Blueprint
from stead.blueprint.placement.plugins import NO_PLUGINS, PlacementPlugins
from stead.blueprint.settle import Overrides, Rearrange, settle
from stead.blueprint.silence import listen
from stead.core.address import Address
from stead.core.diagnostics import Diagnostic, has_errors, in_order
from stead.core.kind import Kind
from stead.core.observed import Have, Observed
from stead.core.recorded import Record, Recorded
from stead.core.value import field, replace, value
from stead.diff import Asked, Diff, compare, drift
from stead.diff.adopting import compared
from stead.diff.identity import Identities, by_uuid
from stead.diff.waiting import untold
from stead.language.desired import Desired
from stead.language.desired.renames import CANNOT_MOVE
from stead.plan.abilities import unable
from stead.plan.build import EVERYTHING, Selection, build, digest_of
from stead.plan.hooks import hooks_of
from stead.plan.model import Made, Plan
from stead.recovery import belonging, documents


@value
class Inputs:
    """All that a plan is made from. Equal inputs give a byte-identical plan."""

    desired: Desired
    recorded: Recorded
    observed: Observed
    kinds: Mapping[str, Kind]
    key: bytes = field(repr=False)  # seals secrets
    plugins: PlacementPlugins = NO_PLUGINS  # the site's own placement rules
    hooks: Mapping[str, str] = field(default_factory=dict)  # playbooks of hooks -> digests of their folders
    inventory: str = ""  # digest of its files, and of the variables beside it


@value
class Wishes:
    """What the person at the keyboard adds to the spec, this once."""

    selection: Selection = EVERYTHING
    replace: frozenset[Address] = frozenset()
    rebuild: frozenset[Address] = frozenset()
    reboot: frozenset[Address] = frozenset()
    reverts: Mapping[Address, Address] = field(default_factory=dict)  # volume -> snapshot that it goes back to
    states: Mapping[Address, str] = field(default_factory=dict)  # given by hand; empty: as the spec says again
    destroy: bool = False
    refresh_only: bool = False
    rearrange: Rearrange | None = None
    drains: str = ""  # the host that is emptied, and gets nothing from now on
    restores: str = ""  # the host that was, and gets resources again
    dead: frozenset[str] = frozenset()  # hosts of which a person says by name that they are off
    asked: str = ""  # all of the above in words that stand in the plan, from which the same can be asked again


@value
class Planned:
    """A plan and what it came from, for those who show or explain it. None where an error stopped the way."""

    plan: Plan | None
    blueprint: Blueprint | None
    diff: Diff | None


NO_WISHES = Wishes()


def make_plan(inputs: Inputs, wishes: Wishes = NO_WISHES) -> tuple[Planned, list[Diagnostic]]:
    if refused := belonging.check(inputs.recorded, inputs.observed):
        return Planned(plan=None, blueprint=None, diff=None), refused
    if not wishes.destroy and (refused := list(documents.check(inputs.desired, inputs.recorded, inputs.observed))):
        return Planned(plan=None, blueprint=None, diff=None), refused
    desired = _nothing(inputs.desired) if wishes.destroy else inputs.desired
    here, told = belonging.understood(inputs.observed, inputs.kinds)
    renames, untrue = _renames(desired, inputs.recorded)
    if untrue:
        return Planned(plan=None, blueprint=None, diff=None), in_order([*told, *untrue])
    heard, silence, wrong = listen(here, inputs.recorded, wishes.dead, frozenset({wishes.restores}))
    if wrong:
        return Planned(plan=None, blueprint=None, diff=None), in_order([*told, *wrong])
    seen, stale = by_uuid(inputs.recorded, heard)
    recorded, observed = _renamed(inputs.recorded, seen, renames, inputs.kinds)
    blueprint, found = settle(
        desired,
        recorded,
        observed,
        kinds=inputs.kinds,
        key=inputs.key,
        overrides=Overrides(
            replace=wishes.replace, rearrange=wishes.rearrange, states=wishes.states, plugins=inputs.plugins
        ),
    )
    found = [*told, *found]
    if blueprint is None or has_errors(found):
        return Planned(plan=None, blueprint=blueprint, diff=None), in_order(found)
    if wishes.refresh_only:
        recorded = inputs.recorded  # under the names that hosts and store have now
        diff = drift(recorded, seen, kinds=inputs.kinds)
    else:
        names = Identities(renames, stale)
        power = wishes.reboot | wishes.states.keys()
        asked = Asked(desired.forget, wishes.rebuild, wishes.reboot, power, wishes.reverts)
        diff = compare(recorded, observed, blueprint, kinds=inputs.kinds, asked=asked, names=names)
        diff, wrong = compared(diff, blueprint, observed, inputs.kinds)
        if wrong:
            return Planned(plan=None, blueprint=blueprint, diff=None), in_order([*found, *wrong])
    made = Made(
        spec=inputs.desired.digest,
        recorded=inputs.recorded.serial,
        observed=inputs.observed.digest,
        stead=__version__,
        inventory=inputs.inventory,
        asked=wishes.asked,
    )
    silence = replace(silence, **_marks(wishes, diff, inputs.recorded))
    diff = replace(diff, silence=silence, notes=(*diff.notes, *untold(silence, heard)))
    plan, more = build(diff, blueprint, recorded, made=made, kinds=inputs.kinds, selection=wishes.selection)
    if plan is not None:
        more += unable(plan, observed, recorded, blueprint, inputs.kinds)
        if hooks := hooks_of(plan, inputs.desired.blocks, inputs.hooks):  # also of what is to be destroyed
            plan = replace(plan, hooks=hooks)
            plan = replace(plan, digest=digest_of(plan))
    return Planned(plan=plan, blueprint=blueprint, diff=diff), in_order([*found, *more])


def _marks(wishes: Wishes, diff: Diff, recorded: Recorded) -> dict[str, Any]:
    """Where it is new: the host that is drained, with what leaves it now; and the one that is restored."""
    moved = tuple(one.uuid for one in diff.changes if one.to and one.host == wishes.drains)
    known = recorded.hosts.get(wishes.drains or wishes.restores)
    marked = known is not None and bool(known.drained)
    return {
        "drained": {wishes.drains: moved} if wishes.drains and (moved or not marked) else {},
        "restored": (wishes.restores,) if wishes.restores and marked else (),
    }


def _nothing(desired: Desired) -> Desired:
    nothing: Mapping[Any, Any] = {}
    return replace(desired, blocks=(), by_address=nothing, outputs=(), checks=(), moved=nothing)


def _renames(desired: Desired, recorded: Recorded) -> tuple[dict[Address, Address], list[Diagnostic]]:
    """`moved` names blocks or members; here it is every recorded member. What cannot have its new name would be
    destroyed under the old one, so that is told.
    """
    moved, renames, found = desired.moved, dict[Address, Address](), list[Diagnostic]()
    for address in recorded.resources if moved else ():
        target = moved.get(address)
        if target is None and (block := moved.get(address.block)) is not None:
            target = block if address.key is None else block._replace(key=address.key)
        if target is None or target == address:
            continue
        why = _why_not(target, desired)
        if target in recorded.resources or target in renames.values():
            why = f"{target} is there as well: rename that first, or take the move out and let one of them go"
        if why:
            owner = desired.by_address[target.block]
            found.append(
                CANNOT_MOVE.at(owner.place(), f"{address} cannot become {target}: {why}.", address=str(target))
            )
        else:
            renames[address] = target
    return renames, found


def _why_not(target: Address, desired: Desired) -> str:
    """Members and what is counted keep their numbers; fewer of them is no mistake."""
    block = desired.by_address.get(target.block)
    if block is None or (target.key is None) == (block.members[0].key is None):
        return ""
    if target.key is None:
        return f"that has members now; name one of them, such as {block.members[0]}"
    return f"{target.block} has no members; write which one became it: from one with its number or key"


def _renamed(
    recorded: Recorded, observed: Observed, renames: Mapping[Address, Address], kinds: Mapping[str, Kind]
) -> tuple[Recorded, Observed]:
    if not renames:
        return recorded, observed

    def new(address: Address) -> Address:
        return renames.get(address, address)

    resources: dict[Address, Record] = {
        new(address): replace(
            record,
            address=new(address),
            after=tuple(map(new, record.after)),
            leases=kinds[address.kind].renamed(record.leases, address, renames),
        )
        for address, record in recorded.resources.items()
    }
    haves: dict[Address, Mapping[str, Have]] = {}
    for address, hosts in observed.haves.items():  # a rename that was cut short has told some hosts already
        haves[new(address)] = {**haves.get(new(address), {}), **hosts}
    return replace(recorded, resources=resources), replace(observed, haves=haves)
