"""Says placement's answer to people: who has no host, why, and what would help.

Must not place and must not ask anything of its own but what would help.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping

from stead.blueprint import absent
from stead.blueprint.advice import human
from stead.blueprint.demands import ROOT, PlacementRequest
from stead.blueprint.placement.model import Placement, PlacementReason, Unplaced
from stead.blueprint.silence import EVACUATED
from stead.core.address import Address
from stead.core.diagnostics import Code, Diagnostic
from stead.core.kind import Kind
from stead.core.observed import Host, HostStatus, Observed
from stead.language.desired import Block, Desired

NO_HOST = Code("STEAD-P001", "no host fits")
TORN = Code("STEAD-P003", "the volumes of an instance are on different hosts")
STILL_USED = Code("STEAD-P004", "an unmanaged resource uses the volume")
HELPED = 8  # of those without a host; finding what helps means placing everything again, several times for each
NAMED = 3  # blocks by name, of the many that may lack a host for one reason


def unplaced(
    desired: Desired, question: PlacementRequest, placement: Placement, hosts: Mapping[str, Host]
) -> list[Diagnostic]:
    """Who has no host, the smallest thing that would help, and whether that is proven."""
    found = [_split_volumes(desired.by_address[address], address, at) for address, at in question.split_volumes.items()]
    if not placement.unplaced:
        return found
    from stead.blueprint.placement import suggest

    requests = {request.id: request for request in question.problem.requests}
    told: set[str] = set()
    inherited: list[Diagnostic] = []  # asked for by what another resource says
    searched = 0
    for one in placement.unplaced:
        who = question.members[one.members[0].removesuffix(ROOT)]
        block, request = desired.by_address[who], requests[one.request]
        if lacking := absent.role(request, hosts):
            if lacking not in told:  # once for all that need it
                found.append(NO_HOST.at(block.place(), f"{named(question, one)}: {lacking}", address=str(who)))
            told.add(lacking)
            continue
        if wrong := absent.wishes(request, block, question.problem.hosts):
            found += [NO_HOST.at(place, text, address=str(who)) for place, text in wrong if place is not None]
            told.update(text for place, text in wrong if place is not None)
            inherited += [NO_HOST.at(block.place(), text, address=str(who)) for place, text in wrong if place is None]
            continue
        searched += 1
        helps = [f"`stead explain '{who}'` says what would help."]
        if searched <= HELPED:
            advice = suggest(question.problem, placement, one.members[0])
            offered = [suggestion for suggestion in advice.suggestions if suggestion.tried] or advice.suggestions
            helps = [f"- {human(suggestion, hosts)}" for suggestion in offered[:3]]
            helps = ["What would help:", *helps] if helps else []
        sure = [] if one.proven else ["The search was stopped at its limit; a solution may still exist."]
        text = "\n".join([f"{named(question, one)}: {one.text}", *sure, *helps])
        found.append(NO_HOST.at(block.place(), text, address=str(who)))
    return [*found, *(one for one in inherited if one.detail not in told)]


def stranded(question: PlacementRequest, placement: Placement, observed: Observed) -> dict[str, PlacementReason]:
    """Why they stay on a host that does not answer, or leave one that is dead."""
    reasons = {name: PlacementReason(code, text, 0) for name, (code, text) in question.held.items()}
    for name, host in question.problem.current.items() if question.problem.current else ():
        if observed.hosts[host].state is HostStatus.DEAD and placement.assignment.get(name, host) != host:
            reasons[name] = PlacementReason(EVACUATED, f"{host} was declared dead, so it is started elsewhere", 0)
    return reasons


def still_used(desired: Desired, kinds: Mapping[str, Kind], users: Mapping[Address, Address]) -> Iterator[Diagnostic]:
    """`users` go on running and are managed no longer: whoever got their volumes would write beside them."""
    for block in desired.blocks if users else ():
        demand = kinds[block.kind].demand(block, desired)
        for volume in demand.beside if demand is not None else ():
            other, carrier = users.get(volume), desired.get(volume)
            asked = kinds[carrier.kind].demand(carrier, desired) if other is not None and carrier is not None else None
            if asked is not None and asked.alone:
                text = (
                    f"{other}, which is no longer managed, still uses {volume}. Detach the volume there, or "
                    "destroy that resource first."
                )
                yield STILL_USED.at(block.place("volumes"), text, address=str(block.members[0]))


def _split_volumes(block: Block, address: Address, at: Mapping[Address, str]) -> Diagnostic:
    text = ", ".join(f"{volume} is on {host}" for volume, host in at.items())
    text += ". Their pool is each host's own, so no host has both. Keep volumes that move from one instance to "
    text += "another in a pool that hosts share."
    return TORN.at(block.place("volumes"), text, address=str(address))


def named(question: PlacementRequest, left: Unplaced) -> str:
    """`3 of acme/instances/web and 2 of acme/instances/db`."""
    members = [question.members[member.removesuffix(ROOT)] for member in left.members]
    if len(members) == 1:
        return str(members[0])
    blocks = Counter(member.block for member in members).most_common()
    named = [f"{number} of {block}" for block, number in blocks[:NAMED]]
    if rest := sum(number for _, number in blocks[NAMED:]):
        named.append(f"{rest} more")
    return " and ".join(named)
