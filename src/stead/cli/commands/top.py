"""Show what instances use now: processors, memory, disks and network, the busiest first.

  stead top                                all instances
  stead top acme/instances/web             all members of one definition
  stead top --project acme --sort memory
  stead top --seconds 10 --json            measured for ten seconds

All hosts are asked at the same time, once, over SSH. CPU 100% is one processor. STEAL is time in which an instance was
ready and its host ran something else. WAIT is the time that its reads, writes and flushes took, added up: 100% is one
operation that waits all the time.

exit status: 0; 1 when there is no such instance or project, or no host answers
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from stead.cli.common import options as shared
from stead.core.diagnostics import Code, Refused, Severity

if TYPE_CHECKING:
    from stead.core.address import Address
    from stead.core.recorded import Record
    from stead.runner.measuring import Rates

SILENT = Code("STEAD-H046", "a host does not say what its guests use", Severity.WARNING)
NOBODY = Code("STEAD-H047", "no host says what its guests use")
SECONDS = 2
SORTS = ("cpu", "memory", "disk", "network", "steal", "wait", "address")
HEAD = ("ADDRESS", "HOST", "CPU", "STEAL", "WAIT", "MEMORY", "READ/s", "WRITE/s", "IOPS", "IN/s", "OUT/s", "DROP/s")
UNITS = ((1 << 30, "G"), (1 << 20, "M"), (1 << 10, "K"))
Measured = tuple["Address", "Rates"]


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("address", nargs="*", metavar="ADDRESS", help="only these instances (default: all)")
    parser.add_argument("--project", metavar="NAME", help="only this project")
    parser.add_argument("--sort", choices=SORTS, default=SORTS[0], help=f"what comes first (default: {SORTS[0]})")
    parser.add_argument(
        "--seconds",
        type=shared.number(1, 60),
        default=SECONDS,
        metavar="N",
        help=f"how long to measure (default: {SECONDS})",
    )
    shared.inputs(parser)
    parser.add_argument("--json", action="store_true", help="print JSON, for programs")


def run(options: argparse.Namespace) -> int:
    from stead.cli.commands.hosts import real_inventory
    from stead.cli.common.console_output import complain
    from stead.cli.common.selection import must_be_recorded
    from stead.cli.common.workspace import open_state
    from stead.runner.measuring import measure

    workspace = shared.workspace_of(options)
    records = open_state(workspace).recorded().resources
    if options.project:
        must_be_recorded(options.project, records)
    guests = guests_of(records, options.address, options.project)
    hosts = {one.host for one in guests.values()}
    rates, silent = measure(real_inventory(workspace).connections, hosts, options.seconds)
    if silent and len(silent) == len(hosts):
        raise Refused(NOBODY.at(None, "; ".join(f"{host}: {why}" for host, why in sorted(silent.items()))))
    complain(SILENT.at(None, f"{host}: {why}") for host, why in sorted(silent.items()))
    found = ordered([(guests[one.uuid].address, one) for one in rates if one.uuid in guests], options.sort)
    if options.json:
        print(json.dumps({"instances": [{"address": str(name), **one._asdict()} for name, one in found]}, indent=1))
        return 0
    print("\n".join(table(found)) if found else "No instance is on.")
    return 0


def guests_of(records: Mapping[Address, Record], named: Sequence[str], project: str | None) -> dict[str, Record]:
    """By UUID: hosts are believed in what they measure, and not in whose it is."""
    from stead.cli.commands.state import chosen
    from stead.kinds import kinds

    asked = chosen(records, named) if named else list(records)
    return {
        records[one].leases.get("uuid", ""): records[one]
        for one in asked
        if kinds()[one.kind].guest and records[one].host and project in (None, one.project)
    }


def ordered(found: Iterable[Measured], by: str) -> list[Measured]:
    from stead.core.address import order

    amounts: dict[str, Callable[[Rates], float]] = {
        "cpu": lambda one: one.cpu,
        "memory": lambda one: one.memory_used,
        "disk": lambda one: one.read_bytes + one.written_bytes,
        "network": lambda one: one.received_bytes + one.sent_bytes,
        "steal": lambda one: one.steal,
        "wait": lambda one: one.wait,
        "address": lambda _one: 0,
    }
    return sorted(found, key=lambda one: (-amounts[by](one[1]), order(one[0])))


def table(found: Sequence[Measured]) -> list[str]:
    lines = [HEAD, *(cells(address, one) for address, one in found)]
    widths = [max(len(line[at]) for line in lines) for at in range(len(HEAD))]
    return [
        "  ".join(
            f"{cell:<{width}}" if at < 2 else f"{cell:>{width}}"
            for at, (cell, width) in enumerate(zip(line, widths, strict=True))
        )
        for line in lines
    ]


def cells(address: Address, one: Rates) -> tuple[str, ...]:
    return (
        str(address),
        one.host,
        f"{one.cpu:.0%}",
        f"{one.steal:.0%}",
        f"{one.wait:.0%}",
        f"{size(one.memory_used)}/{size(one.memory)}",
        size(one.read_bytes),
        size(one.written_bytes),
        f"{one.reads + one.writes:.0f}",
        size(one.received_bytes),
        size(one.sent_bytes),
        f"{one.drops:.0f}",
    )


def size(number: float) -> str:
    for unit, letter in UNITS:
        if number >= unit:
            return f"{number / unit:.1f}{letter}"
    return f"{number:.0f}"
