"""Show what hosts have, what is used, and how many more of each flavor fit; also for hosts that do not exist yet.

  stead capacity                        used and free, per zone and host
  stead capacity --add 4xcompute-1      with four more hosts like compute-1
  stead capacity --without compute-3    without this host
  stead capacity --survive 1            does everything still fit after any one host fails?

exit status: 0, or 1 when --survive finds a failure after which not everything fits
"""

from __future__ import annotations

import argparse
import json
import re
from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

from stead.cli.common import options as shared
from stead.core.diagnostics import Code, Refused
from stead.core.value import as_dict, replace

if TYPE_CHECKING:
    from stead.blueprint.placement import (
        Capacity,
        FailureAnalysis,
        Fit,
        Placement,
        PlacementHost,
        Problem,
        Request,
        ResourceUse,
        Unplaced,
    )
    from stead.cli.common.placing import Placed

BAD_HOSTS = Code("STEAD-C052", "invalid value of --add or --without")
_COUNT = re.compile(r"[0-9]{1,5}")


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--add", action="append", default=[], metavar="NxHOST", help="N more hosts like this one")
    parser.add_argument(
        "--without", action="append", default=[], metavar="HOST", help="calculate as if this host were gone"
    )
    parser.add_argument(
        "--survive", type=shared.number(0), default=0, metavar="N", help="show what a failure of any N hosts would do"
    )
    shared.inputs(parser)
    shared.output(parser, formats=("text", "json", "html"))


def run(options: argparse.Namespace) -> int:
    from stead.blueprint.placement import failure_analysis, place, what_if
    from stead.cli.common.placing import Placed

    placed = Placed.of(shared.workspace_of(options))
    problem = what_if(
        placed.problem, add=added(placed.problem, options.add), without=gone(placed.problem, options.without)
    )
    current = {name: host for name, host in problem.current.items() if host not in options.without}
    problem = replace(problem, current=current, pinned=problem.pinned & current.keys())
    placement = place(problem) if options.add or options.without else placed.placement
    found = counted(problem, placement, placed, options.survive)
    survival = failure_analysis(problem, placement, options.survive) if options.survive else None
    data = as_dict(found) | {
        "unplaced": [one._asdict() for one in placement.unplaced],
        "survival": as_dict(survival) if survival else None,
    }
    match shared.printing_of(options).form:
        case "json":
            print(json.dumps(data, indent=1))
        case "html":
            from stead.cli.common.capacity_page import page

            print(page(found, survival, left_out(placed, placement.unplaced)))
        case _:
            lines = [*text(found), *left_out(placed, placement.unplaced), *(hurt(survival) if survival else [])]
            print("\n".join(lines))
    return 1 if survival and not survival.survives else 0


def added(problem: Problem, texts: Sequence[str]) -> list[PlacementHost]:
    from stead.blueprint.placement import copies

    names = {host.name: host for host in problem.hosts}
    example = min(names, default="compute-1")
    wanted: Counter[str] = Counter()
    for text in texts:
        count, times, name = text.partition("x")
        if not times or not _COUNT.fullmatch(count) or name not in names:
            raise Refused(
                BAD_HOSTS.at(
                    None,
                    f"--add {text}: write a number, x, and a host to copy, such as 4x{example}.",
                )
            )
        wanted[name] += int(count)
    return [copy for name, count in wanted.items() for copy in copies(names[name], count, f"{name}-more")]


def gone(problem: Problem, names: Sequence[str]) -> list[str]:
    known = {host.name for host in problem.hosts}
    for name in names:
        if name not in known:
            raise Refused(BAD_HOSTS.at(None, f"--without {name}: the inventory has no such host."))
    return list(names)


def flavors(placed: Placed) -> list[Request]:
    """A request for one of each flavor of the spec, by its own fields."""
    from stead.blueprint.placement import Request
    from stead.kinds.instance.demand import of_flavor

    made = []
    for block in placed.loaded.inputs.desired.of_kind("flavors"):
        demand = of_flavor(block.model)
        made.append(
            Request(
                id=block.name,
                members=(block.name,),
                demand=demand.amounts,
                required=demand.required | {"role:compute"},
                forbidden=demand.forbidden,
            )
        )
    return made


def counted(problem: Problem, placement: Placement, placed: Placed, survive: int) -> Capacity:
    """Root disks in a shared pool take room where the pool lives, whichever host runs the instance."""
    from stead.blueprint.placement import capacity

    hosts = placed.loaded.inputs.observed.hosts.values()
    everywhere = {f"disk:{pool.name}" for host in hosts for pool in host.pools.values() if pool.shared}
    here, there = [], {}
    for one in flavors(placed):
        disks = {name: size for name, size in one.demand.items() if name in everywhere}
        there[one.id] = disks
        demand = {name: amount for name, amount in one.demand.items() if name not in disks}
        here.append(replace(one, demand=demand, pools=frozenset(name.removeprefix("disk:") for name in disks)))
    found = capacity(problem, placement, here, survive=survive)
    free = {use.resource: use.free for use in found.total}
    fits = []
    for fit in found.fits:
        most = min((max(0, free.get(name, 0)) // size for name, size in there[fit.flavor].items()), default=fit.total)
        fits.append(_at_most(fit, most))
    return replace(found, fits=tuple(fits))


def _at_most(fit: Fit, most: int) -> Fit:
    return replace(
        fit,
        total=min(fit.total, most),
        by_zone=tuple((zone, min(count, most)) for zone, count in fit.by_zone),
        by_host=tuple((host, min(count, most)) for host, count in fit.by_host),
        surviving=None if fit.surviving is None else min(fit.surviving, most),
    )


def text(found: Capacity) -> list[str]:
    lines = ["All hosts", *rows(found.total)]
    zones = sorted({use.scope for use in found.zones})
    if len(zones) > 1:
        for zone in zones:
            lines += ["", f"Zone {zone}", *rows([use for use in found.zones if use.scope == zone])]
    hosts = sorted({use.scope for use in found.hosts})
    if len(hosts) <= 40:
        for host in hosts:
            lines += ["", host, *rows([use for use in found.hosts if use.scope == host])]
    else:
        lines += ["", f"{len(hosts):,} hosts; --json lists them."]
    if found.fits:
        lines += ["", "How many more fit"]
        width = max(len(fit.flavor) for fit in found.fits)
        for fit in found.fits:
            per_zone = "  ".join(f"{zone} {count:,}" for zone, count in fit.by_zone)
            still = f"  ({fit.surviving:,} and survive)" if fit.surviving is not None else ""
            lines.append(f"  {fit.flavor:<{width}}  {fit.total:>8,}{still}  {per_zone}")
    return lines


def rows(uses: Sequence[ResourceUse]) -> list[str]:
    from stead.blueprint.advice import amount
    from stead.cli.commands.explain import bar

    shown = [use for use in uses if use.usable and use.resource != "services"]
    width = max([len(use.resource) for use in shown], default=0)
    return [
        f"  {use.resource:<{width}}  {bar(use.used, use.usable)} {100 * use.used / use.usable:5.1f}%  "
        + (f"{amount(use.resource, use.free)} free" if use.free >= 0 else f"{amount(use.resource, -use.free)} too much")
        for use in shown
    ]


def left_out(placed: Placed, unplaced: Sequence[Unplaced]) -> list[str]:
    from stead.blueprint.unplaced import named

    return [f"\nNo host for {named(placed.question, one)}: {one.text}" for one in unplaced]


def hurt(survival: FailureAnalysis) -> list[str]:
    which = f"any {survival.n} of the hosts fail" if survival.n > 1 else "any host fails"
    if survival.survives and survival.exhaustive:
        return ["", f"After {which}, everything still fits ({survival.tried:,} tried, every one)."]
    if survival.survives:
        return [
            "",
            f"After any {survival.n} of the fullest hosts fail, everything still fits ({survival.tried:,} tried).",
            "There are too many hosts to try every failure.",
        ]
    lines = ["", f"{survival.hurting:,} of {survival.tried:,} failures tried leave something without a host:"]
    for failure in survival.failures[:10]:
        names = ", ".join(failure.members[:3]) + (
            f" and {len(failure.members) - 3} more" if len(failure.members) > 3 else ""
        )
        lines.append(f"  {' and '.join(failure.hosts)}: {names}{'' if failure.proven else ' (not proven)'}")
    return lines
