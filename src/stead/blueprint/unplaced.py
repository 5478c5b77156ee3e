"""Says placement's answer to people: who has no host, why, and what would help.

Must not place and must not ask anything of its own but what would help.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from stead.blueprint.demands import ROOT, PlacementRequest
from stead.blueprint.placement.model import Placement, PlacementReason, Unplaced
from stead.blueprint.silence import EVACUATED
from stead.core.address import Address
from stead.core.diagnostics import Code, Diagnostic
from stead.core.kind import Kind
from stead.core.observed import HostStatus, Observed
from stead.language.desired import Block, Desired

if TYPE_CHECKING:
    from stead.blueprint.placement import Suggestion

NO_HOST = Code("STEAD-P001", "no host fits")
TORN = Code("STEAD-P003", "the volumes of an instance are on different hosts")
STILL_USED = Code("STEAD-P004", "an unmanaged resource uses the volume")
HELPED = 8  # of those without a host; finding what helps means placing everything again, several times for each
NAMED = 3  # blocks by name, of the many that may lack a host for one reason


def unplaced(desired: Desired, question: PlacementRequest, placement: Placement) -> list[Diagnostic]:
    """Who has no host, the smallest thing that would help, and whether that is proven."""
    found = [_split_volumes(desired.by_address[address], address, at) for address, at in question.split_volumes.items()]
    if not placement.unplaced:
        return found
    from stead.blueprint.placement import suggest

    for number, one in enumerate(placement.unplaced):
        who = question.members[one.members[0].removesuffix(ROOT)]
        helps = [f"`stead explain '{who}'` says what would help."]
        if number < HELPED:
            advice = suggest(question.problem, placement, one.members[0])
            offered = [suggestion for suggestion in advice.suggestions if suggestion.tried] or advice.suggestions
            helps = [f"- {human(suggestion)}" for suggestion in offered[:3]]
            helps = ["What would help:", *helps] if helps else []
        sure = [] if one.proven else ["The search was stopped at its limit; a solution may still exist."]
        text = "\n".join([f"{named(question, one)}: {one.text}", *sure, *helps])
        found.append(NO_HOST.at(desired.by_address[who].place(), text, address=str(who)))
    return found


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


def human(suggestion: Suggestion) -> str:
    """`relax zone=b: 90 hosts would fit`, or `free 712 GiB of memory on compute-31`. Hosts that need the same are told
    together.
    """
    add = suggestion.add
    free = {
        host: {name: less for name, much in row.items() if (less := much - add.get(host, {}).get(name, 0)) > 0}
        for host, row in suggestion.free.items()
    }
    lacked = [one.value for one in suggestion.relax if one.stage == "feature"]
    relaxed = [str(one) for one in suggestion.relax if one.stage != "feature"]
    parts = [f"relax {' and '.join(relaxed)}"] if relaxed else []
    parts += [f"do without {' and '.join(lacked)}"] if lacked else []
    parts += [*_rooms("free", free, "on"), *_rooms("add", add, "to")]
    opens = f": {suggestion.opens} host{'s' if suggestion.opens != 1 else ''} would fit" if suggestion.opens else ""
    return " and ".join([", ".join(parts[:-1]), parts[-1]] if len(parts) > 1 else parts) + opens


def _rooms(verb: str, amounts: Mapping[str, Mapping[str, int]], where: str) -> Iterator[str]:
    alike: dict[str, list[str]] = {}
    for host, row in amounts.items():
        if row:
            alike.setdefault(" + ".join(amount(name, much) for name, much in row.items()), []).append(host)
    for what, hosts in alike.items():
        yield f"{verb} {what} {where} {'each of ' if len(hosts) > 1 else ''}{', '.join(hosts)}"


def amount(resource: str, much: int) -> str:
    """A number with its unit, as people say it."""
    if resource == "memory" or resource.startswith("disk:"):
        for unit, size in (("TiB", 1 << 40), ("GiB", 1 << 30), ("MiB", 1 << 20)):
            if much >= size:
                return f"{much / size:.4g} {unit} of {resource.replace('disk:', 'pool ')}"
    return f"{much} {resource}"
