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
from collections.abc import Mapping
from typing import TYPE_CHECKING

from stead.cli.common import asked
from stead.cli.common import options as shared
from stead.core.diagnostics import Code, Severity

if TYPE_CHECKING:
    from stead.core.address import Address
    from stead.core.recorded import Record
    from stead.runner.measuring import BackendState

SILENT = Code("STEAD-H070", "a host does not say who answers", Severity.WARNING)
NOBODY = Code("STEAD-H071", "no host says who answers")
HEAD = ("ADDRESS", "LISTENER", "MEMBER", "HOST", "STATE", "FOR", "CHECK", "SESSIONS", "TOTAL", "IN", "OUT")
WORDS = 7  # the first columns; numbers follow


def arguments(parser: argparse.ArgumentParser) -> None:
    asked.arguments(parser, "load balancers")


def run(options: argparse.Namespace) -> int:
    from stead.cli.commands.hosts import real_inventory
    from stead.runner.measuring import backends

    workspace = shared.workspace_of(options)
    balancers = asked.asked_for(workspace, options.address, options.project, lambda kind: kind.balances)
    uuids = by_host(balancers)
    found, silent = backends(real_inventory(workspace).connections, uuids)
    asked.tell_silent(silent, uuids, SILENT, NOBODY)
    found = sorted(found, key=lambda one: (str(balancers[one.uuid].address), one.listener, one.member, one.host))
    if options.json:
        told = [{"address": str(balancers[one.uuid].address), **one._asdict()} for one in found]
        print(json.dumps({"members": told}, indent=1))
        return 0
    rows = [cells(balancers[one.uuid].address, one) for one in found]
    print("\n".join(asked.table(HEAD, rows, WORDS)) if rows else "Nobody is asked.")
    return 0


def by_host(balancers: Mapping[str, Record]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for uuid, record in balancers.items():
        for host in filter(None, record.wants):
            found.setdefault(host, []).append(uuid)
    return found


def cells(address: Address, one: BackendState) -> tuple[str, ...]:
    from stead.plan.render.values import safe

    words = (str(address), one.listener, one.member, one.host, one.state, _time(one.since), one.check or "-")
    return (*map(safe, words), str(one.sessions), str(one.total), asked.size(one.bytes_in), asked.size(one.bytes_out))


def _time(seconds: int) -> str:
    for unit, letter in ((86_400, "d"), (3_600, "h"), (60, "m")):
        if seconds >= 2 * unit:
            return f"{seconds // unit}{letter}"
    return f"{seconds}s"
