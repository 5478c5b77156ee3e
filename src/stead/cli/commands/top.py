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
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from stead.cli.common import asked
from stead.cli.common import options as shared
from stead.core.diagnostics import Code, Severity

if TYPE_CHECKING:
    from stead.core.address import Address
    from stead.runner.measuring import Rates

SILENT = Code("STEAD-H046", "a host does not say what its guests use", Severity.WARNING)
NOBODY = Code("STEAD-H047", "no host says what its guests use")
SECONDS = 2
SORTS = ("cpu", "memory", "disk", "network", "steal", "wait", "address")
HEAD = ("ADDRESS", "HOST", "CPU", "STEAL", "WAIT", "MEMORY", "READ/s", "WRITE/s", "IOPS", "IN/s", "OUT/s", "DROP/s")
WORDS = 2  # the first columns; numbers follow
Measured = tuple["Address", "Rates"]


def arguments(parser: argparse.ArgumentParser) -> None:
    asked.arguments(parser, "instances")
    parser.add_argument("--sort", choices=SORTS, default=SORTS[0], help=f"what comes first (default: {SORTS[0]})")
    parser.add_argument(
        "--seconds",
        type=shared.number(1, 60),
        default=SECONDS,
        metavar="N",
        help=f"how long to measure (default: {SECONDS})",
    )


def run(options: argparse.Namespace) -> int:
    from stead.cli.commands.hosts import real_inventory
    from stead.runner.measuring import measure

    workspace = shared.workspace_of(options)
    guests = asked.asked_for(workspace, options.address, options.project, lambda kind: kind.guest)
    hosts = {one.host for one in guests.values()}
    rates, silent = measure(real_inventory(workspace).connections, hosts, options.seconds)
    asked.tell_silent(silent, hosts, SILENT, NOBODY)
    found = ordered([(guests[one.uuid].address, one) for one in rates if one.uuid in guests], options.sort)
    if options.json:
        print(json.dumps({"instances": [{"address": str(name), **one._asdict()} for name, one in found]}, indent=1))
        return 0
    rows = [cells(address, one) for address, one in found]
    print("\n".join(asked.table(HEAD, rows, WORDS)) if rows else "No instance is on.")
    return 0


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


def cells(address: Address, one: Rates) -> tuple[str, ...]:
    return (
        str(address),
        one.host,
        f"{one.cpu:.0%}",
        f"{one.steal:.0%}",
        f"{one.wait:.0%}",
        f"{asked.size(one.memory_used)}/{asked.size(one.memory)}",
        asked.size(one.read_bytes),
        asked.size(one.written_bytes),
        f"{one.reads + one.writes:.0f}",
        asked.size(one.received_bytes),
        asked.size(one.sent_bytes),
        f"{one.drops:.0f}",
    )
