"""Which migrations a plan was asked for, by `migrate`, `drain`, `restore` and `rebalance`, and again from its file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from stead.core.diagnostics import Code, Refused
from stead.core.want import canonical

if TYPE_CHECKING:
    from stead.blueprint.placement import Rebalance
    from stead.blueprint.settle import Rearrange
    from stead.core.recorded import Recorded
    from stead.plan.planner import Wishes

NO_SUCH_HOST = Code("STEAD-C051", "no such host")


def wishes_of(asked: Mapping[str, Any], recorded: Recorded) -> Wishes | None:
    """What a plan says that it was asked for; None where that is no migration."""
    from stead.blueprint.placement import holding
    from stead.plan.planner import Wishes

    rearrange = _rearrange_of(asked, recorded)
    if rearrange is None:
        return None
    if staying := asked.get("staying"):
        rearrange = holding(rearrange, staying)
    drains, restores = asked.get("drain", ""), asked.get("restore", "")
    return Wishes(rearrange=rearrange, drains=drains, restores=restores, asked=canonical(asked))


def _rearrange_of(asked: Mapping[str, Any], recorded: Recorded) -> Rearrange | None:
    from stead.blueprint.placement import drain, rebalance, relocate, restore

    if "drain" in asked:
        host = asked["drain"]
        return _of_host(host, lambda problem, placed: drain(problem, placed, host))
    if "restore" in asked:
        host, members = asked["restore"], displaced(recorded, asked["restore"])
        return _of_host(host, lambda problem, placed: restore(problem, placed, host, members))
    if "migrate" in asked:
        member, host = asked["migrate"]
        return _of_host(host, lambda problem, placed: relocate(problem, placed, member, host))
    if "rebalance" in asked:
        moves, gain = asked["rebalance"]
        return lambda problem, placed: rebalance(problem, placed, moves, gain)
    return None


def _of_host(host: str, rearrange: Rearrange) -> Rearrange:
    """Refuses a host that the inventory does not have."""
    from stead.blueprint.placement import Placement, Problem
    from stead.language.reading import nearest

    def rearranged(problem: Problem, placed: Placement) -> Rebalance:
        names = [one.name for one in problem.hosts]
        if host and host not in names:
            raise Refused(NO_SUCH_HOST.at(None, f"The inventory has no host {host!r}.{nearest(host, names)}"))
        return rearrange(problem, placed)

    return rearranged


def displaced(recorded: Recorded, host: str) -> Sequence[str]:
    """What was moved away when the host was drained, and is not back yet."""
    from stead.blueprint.leases import UUID

    known = recorded.hosts.get(host)
    uuids = frozenset(known.displaced) if known is not None else frozenset()
    records = recorded.resources.items() if uuids else ()
    return [str(address) for address, one in records if one.leases.get(UUID) in uuids and one.host != host]
