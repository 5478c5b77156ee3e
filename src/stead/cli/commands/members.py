"""Show who answers behind load balancers, as each of their hosts has found out.

  stead members                              of all load balancers
  stead members acme/load_balancers/front    of one
  stead members --project acme --json

Of a load balancer on two hosts, both check and only one answers. SESSIONS are open now on this host, TOTAL are those
since HAProxy last took up a configuration. FOR says since when a member is up or down.

exit status: 0; 1 when there is no such resource or project, or no host answers
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from stead.cli.common import options as shared
from stead.core.diagnostics import Code, Refused, Severity

if TYPE_CHECKING:
    from stead.core.address import Address
    from stead.core.recorded import Record
    from stead.runner.measuring import BackendState

SILENT = Code("STEAD-H070", "a host does not say who answers", Severity.WARNING)
NOBODY = Code("STEAD-H071", "no host says who answers")
HEAD = ("ADDRESS", "LISTENER", "MEMBER", "HOST", "STATE", "FOR", "CHECK", "SESSIONS", "TOTAL", "IN", "OUT")
WORDS = 7  # the first columns; numbers follow


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("address", nargs="*", metavar="ADDRESS", help="only these load balancers (default: all)")
    parser.add_argument("--project", metavar="NAME", help="only this project")
    shared.inputs(parser)
    parser.add_argument("--json", action="store_true", help="print JSON, for programs")


def run(options: argparse.Namespace) -> int:
    from stead.cli.commands.hosts import real_inventory
    from stead.cli.common.console_output import complain
    from stead.cli.common.selection import must_be_recorded
    from stead.cli.common.workspace import open_state
    from stead.runner.measuring import backends

    workspace = shared.workspace_of(options)
    records = open_state(workspace).recorded().resources
    if options.project:
        must_be_recorded(options.project, records)
    balancers = balancers_of(records, options.address, options.project)
    uuids = by_host(balancers)
    found, silent = backends(real_inventory(workspace).connections, uuids)
    if silent and len(silent) == len(uuids):
        raise Refused(NOBODY.at(None, "; ".join(f"{host}: {why}" for host, why in sorted(silent.items()))))
    complain(SILENT.at(None, f"{host}: {why}") for host, why in sorted(silent.items()))
    found = sorted(found, key=lambda one: (str(balancers[one.uuid].address), one.listener, one.member, one.host))
    if options.json:
        told = [{"address": str(balancers[one.uuid].address), **one._asdict()} for one in found]
        print(json.dumps({"members": told}, indent=1))
        return 0
    print("\n".join(table([cells(balancers[one.uuid].address, one) for one in found])) if found else "Nobody is asked.")
    return 0


def balancers_of(records: Mapping[Address, Record], named: Sequence[str], project: str | None) -> dict[str, Record]:
    """By UUID: hosts are believed in what they found, and not in whose it is."""
    from stead.cli.commands.state import chosen
    from stead.kinds import kinds

    asked = chosen(records, named) if named else list(records)
    return {
        records[one].leases.get("uuid", ""): records[one]
        for one in asked
        if kinds()[one.kind].balances and records[one].host and project in (None, one.project)
    }


def by_host(balancers: Mapping[str, Record]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for uuid, record in balancers.items():
        for host in filter(None, record.wants):
            found.setdefault(host, []).append(uuid)
    return found


def cells(address: Address, one: BackendState) -> tuple[str, ...]:
    from stead.cli.commands.top import size
    from stead.plan.render.values import safe

    words = (str(address), one.listener, one.member, one.host, one.state, _time(one.since), one.check or "-")
    return (*map(safe, words), str(one.sessions), str(one.total), size(one.bytes_in), size(one.bytes_out))


def _time(seconds: int) -> str:
    for unit, letter in ((86_400, "d"), (3_600, "h"), (60, "m")):
        if seconds >= 2 * unit:
            return f"{seconds // unit}{letter}"
    return f"{seconds}s"


def table(rows: Sequence[tuple[str, ...]]) -> list[str]:
    widths = [max(len(line[at]) for line in (HEAD, *rows)) for at in range(len(HEAD))]
    return [
        "  ".join(
            f"{cell:<{width}}" if at < WORDS else f"{cell:>{width}}"
            for at, (cell, width) in enumerate(zip(line, widths, strict=True))
        ).rstrip()
        for line in (HEAD, *rows)
    ]
