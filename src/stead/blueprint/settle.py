"""Desired to blueprint: every choice made, each with its reason. Pure: what it may know is in its arguments."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from stead.blueprint import claims, demands, leases, room, standby, unplaced
from stead.blueprint.choices import Choices, LateScope
from stead.blueprint.model import Blueprint, Reason, Settled
from stead.blueprint.placement.model import Placement, Problem
from stead.blueprint.placement.model import PlacementReason as PlacedReason
from stead.blueprint.placement.plugins import NO_PLUGINS, PlacementPlugins
from stead.blueprint.seals import Seals
from stead.blueprint.states_by_hand import as_given, with_states
from stead.blueprint.unmanaged import unmanaged_totals, with_less_room
from stead.blueprint.whereabouts import is_carried
from stead.core.address import Address, order
from stead.core.diagnostics import Code, Diagnostic, Severity, has_errors
from stead.core.fields import Expression, Secret
from stead.core.kind import Kind, Member
from stead.core.needs import STANDBY
from stead.core.observed import Host, Observed
from stead.core.recorded import Record, Recorded
from stead.core.value import field, replace, value
from stead.core.want import Want, canonical
from stead.language.desired import Block, Desired
from stead.language.desired.model import Check

if TYPE_CHECKING:
    from stead.blueprint.placement import Rebalance

CHECK_FAILED = Code("STEAD-L061", "a check of the spec failed")
CHECK_UNCLEAR = Code("STEAD-L063", "a check is neither true nor false")
CHECK_WARNS = Code("STEAD-L062", "a check of the spec failed", Severity.WARNING)

# What would be better than the placement at hand: evening out, emptying a host.
Rearrange = Callable[[Problem, Placement], "Rebalance"]


@value
class Overrides:
    """What the spec does not say: what to make anew, how to rearrange hosts, and the site's own placement rules."""

    replace: frozenset[Address] = frozenset()
    rearrange: Rearrange | None = None
    states: Mapping[Address, str] = field(default_factory=dict)  # given by hand now; empty: as the spec says again
    plugins: PlacementPlugins = NO_PLUGINS


NO_OVERRIDES = Overrides()
NOWHERE = Reason("", "")
SITE = ""  # outputs are its own


def settle(
    desired: Desired,
    recorded: Recorded,
    observed: Observed,
    *,
    kinds: Mapping[str, Kind],
    key: bytes,
    overrides: Overrides = NO_OVERRIDES,
) -> tuple[Blueprint | None, list[Diagnostic]]:
    """`key` seals secrets. None where a choice could not be made."""
    found = [one for block in desired.blocks for one in kinds[block.kind].fits(block, desired, observed.hosts)]
    if has_errors(found):
        return None, found
    records = recorded.resources
    left = unmanaged_totals(desired, recorded, observed, kinds)
    roomy = with_less_room(observed, left)
    given = as_given(desired, records, overrides.states)
    question = demands.question(given, kinds, roomy, records, overrides.plugins, overrides.replace)
    question, placement = room.placed(question, roomy.hosts)
    found += unplaced.unplaced(desired, question, placement, roomy.hosts)
    found += unplaced.still_used(desired, kinds, left.users)
    placement = replace(placement, reasons={**placement.reasons, **unplaced.stranded(question, placement, observed)})
    rebalance = overrides.rearrange(question.problem, placement) if overrides.rearrange and not found else None
    placement = _rearranged(placement, rebalance)
    hosts = _hosts(question, placement) if not has_errors(found) else {}
    anew = overrides.replace | frozenset(_stranded(desired, kinds, records, hosts, observed.hosts))
    seconds, alone = standby.standbys(question, hosts, observed.hosts, records)
    asked = _claims(desired, kinds, seconds)
    chosen, more = leases.choose(asked, records, site=recorded.site, replace=anew, taken=left.taken)
    found += [*alone, *more]
    if has_errors(found):
        return None, found

    lent = with_states(_with_standby(chosen.of, seconds), records, overrides.states)
    blocks = [
        (block, [Member(address, lent[address], hosts.get(address, "")) for address in block.members])
        for block in desired.blocks
    ]
    members = {member.address: member for _, some in blocks for member in some}
    choices = Choices(desired=desired, kinds=kinds, hosts=observed.hosts, members=members, seals=Seals(key, recorded))
    choices.gather(blocks, left.contributions)
    resources = _realise(blocks, kinds, choices, question, placement, records)
    for project, name in desired.exports:  # also those that nobody uses yet
        choices.export(project, name)
    outputs = {output.name: _output(output.value, output.secret, choices) for output in desired.outputs}
    found += choices.diagnostics + _failed_checks(desired, choices)
    blueprint = Blueprint(
        resources=resources,
        outputs=outputs,
        takes_over=chosen.takes_over,
        problem=question.problem,
        placement=placement,
        rebalance=rebalance,
        move_waves=_move_waves(question, rebalance),
        used=left.users,
        alone=question.alone,
        priorities=question.priorities,
        secrets=choices.seals.opened,
    )
    return blueprint, found


def _rearranged(placement: Placement, rebalance: Rebalance | None) -> Placement:
    """What found no other host stays where it is: it is named, and no reason to lose sight of it."""
    if rebalance is None:
        return placement
    stays = {**placement.assignment, **rebalance.placement.assignment}
    why = {move.member: PlacedReason(move.code, move.text, 0) for move in rebalance.moves}
    return replace(rebalance.placement, assignment=stays, reasons={**placement.reasons, **why})


def _claims(desired: Desired, kinds: Mapping[str, Kind], seconds: Mapping[Address, str]) -> list[claims.LeaseClaim]:
    found = []
    for block in desired.blocks:
        kind = kinds[block.kind]
        pairs = any(member in seconds for member in block.members) if seconds else False
        needs = [need for need in kind.needs(block, desired) if pairs or not need.second]
        measures = kind.grow_only(block, desired)
        found.append(claims.claim(block, needs, kind.identity, measures, lends=kind.lends))
    return found


def _move_waves(question: demands.PlacementRequest, rebalance: Rebalance | None) -> tuple[frozenset[Address], ...]:
    return tuple(
        frozenset(question.members[move.member] for move in wave if move.member in question.members)
        for wave in (rebalance.waves if rebalance else ())
    )


def _hosts(question: demands.PlacementRequest, placement: Placement) -> dict[Address, str]:
    """Where everything landed, volumes that came along with an instance included."""
    hosts = {address: placement.assignment[name] for name, address in question.members.items()}
    for request in question.problem.requests:
        for member, volumes in request.carries.items():
            for volume in volumes:
                hosts[question.carried[volume]] = placement.assignment[member]
    return hosts


def _with_standby(
    chosen: Mapping[Address, Mapping[str, str]], seconds: Mapping[Address, str]
) -> Mapping[Address, Mapping[str, str]]:
    """The second host is kept as a lease is: hosts remember it, and so does whoever rebuilds the store from them."""
    return {**chosen, **{address: {**chosen[address], STANDBY: host} for address, host in seconds.items()}}


def _stranded(
    desired: Desired,
    kinds: Mapping[str, Kind],
    records: Mapping[Address, Record],
    hosts: Mapping[Address, str],
    known: Mapping[str, Host],
) -> Iterator[Address]:
    """What is to be on another host, and cannot take along what is on it: there it is another one."""
    for block in desired.blocks:
        if kinds[block.kind].stateful and not kinds[block.kind].mobile:
            for address in block.members:
                record = records.get(address)
                if record is None or record.host in ("", to := hosts.get(address, record.host)):
                    continue
                if not is_carried(kinds[block.kind], record, known, to):
                    yield address


def _realise(
    blocks: Sequence[tuple[Block, Sequence[Member]]],
    kinds: Mapping[str, Kind],
    choices: Choices,
    question: demands.PlacementRequest,
    placement: Placement,
    records: Mapping[Address, Record],
) -> dict[Address, Settled]:
    reasons = placement.reasons
    shared = {member: reasons.get(request.id) for request in question.problem.requests for member in request.members}
    made: dict[Address, Settled] = {}
    for block, members in blocks:
        role = kinds[block.kind].home_role
        for member, wants in zip(members, kinds[block.kind].realise(block, members, choices), strict=True):
            placed = NOWHERE
            if member.host:
                name = str(member.address)
                told = reasons.get(name) or shared.get(name)
                placed = Reason(told.code, told.text) if told else Reason("beside", "with the instance it belongs to")
            # Most are as they were, to the letter: a second one of each would be a third of what is in memory.
            record = records.get(member.address)
            same = record.wants if record is not None and record.wants == wants else wants
            both = tuple(host for host in (member.host, member.leases.get(STANDBY, "")) if host)
            homes = both if member.host else _homes(role, same, choices)
            made[member.address] = Settled(member.address, block, member.leases, member.host, placed, same, homes)
    return dict(sorted(made.items(), key=lambda item: order(item[0])))


def _homes(role: str, wants: Mapping[str, Want], choices: Choices) -> tuple[str, ...]:
    if not role:
        return ()
    return tuple(sorted(host for host in wants if host in choices.hosts and role in choices.hosts[host].roles))


def _output(value: Any, secret: bool, choices: Choices) -> Any:
    match value:
        case Secret():
            return choices.seals.seal(value, SITE)
        case Expression():
            answer = choices.evaluate(value, LateScope(choices, ""), value.place)
            return _sealed(answer, choices) if secret else answer
        case Mapping():
            return {name: _output(one, secret, choices) for name, one in value.items()}
        case list() | tuple():
            return [_output(one, secret, choices) for one in value]
        case _:
            return _sealed(value, choices) if secret else value


def _sealed(value: Any, choices: Choices) -> Any:
    """Numbers too, and all that is in lists and maps. What is sealed already stays so."""
    match value:
        case Mapping():
            return value if "$secret" in value else {name: _sealed(one, choices) for name, one in value.items()}
        case list() | tuple():
            return [_sealed(one, choices) for one in value]
        case str():
            return choices.seals.seal(Secret(value), SITE)
        case _:
            return choices.seals.seal(Secret(canonical(value)), SITE)


def _failed_checks(desired: Desired, choices: Choices) -> list[Diagnostic]:
    failed = []
    for check in desired.checks:
        before = len(choices.diagnostics)
        held = choices.holds(check.that, check.place)
        if len(choices.diagnostics) > before:
            continue
        if held is None:
            text = (
                f"{check.name}: the result is text, but a check must be true or false. Compare the text with something."
            )
            failed.append(CHECK_UNCLEAR.at(check.place, text))
        elif not held:
            code = CHECK_WARNS if check.warning else CHECK_FAILED
            failed.append(code.at(check.place, f"{check.name}: {_message(check, choices)}"))
    return failed


def _message(check: Check, choices: Choices) -> str:
    if not isinstance(check.message, Expression):
        return check.message
    said = choices.evaluate(check.message, LateScope(choices, ""), check.place)
    return "the check failed. Its message uses a secret and is not shown." if isinstance(said, Mapping) else str(said)
