"""Show differences between hosts and the last apply: what was added, changed or removed by hand. Needs no spec.

  stead drift             for a nightly job: exits with 2 when there is drift
  stead drift --json

To undo drift: `stead apply`. To accept it: `stead plan --refresh-only -o accept.plan && stead apply accept.plan`.

Resources removed with `forget` or `state rm`, or moved to another host by hand, are listed but are no drift.

exit status: 0 no drift; 2 drift, or a host that does not answer; 1 errors
"""

from __future__ import annotations

import argparse
import json
from typing import TYPE_CHECKING

from stead.cli.common import options as shared
from stead.core.address import Address, parse

if TYPE_CHECKING:
    from stead.cli.common.workspace import Workspace
    from stead.core.observed import Observed
    from stead.core.recorded import Recorded
    from stead.diff.model import Note
    from stead.store import Store

FOUND = 2
LET_GO = frozenset({"forget", "removed"})  # last words of a resource's history


def arguments(parser: argparse.ArgumentParser) -> None:
    shared.inputs(parser)
    shared.output(parser)


def run(options: argparse.Namespace) -> int:
    from stead.cli.common import differences
    from stead.diff.drift import MOVED, MOVED_AWAY, drift
    from stead.diff.identity import by_uuid
    from stead.kinds import kinds
    from stead.plan.model import Made, Plan

    store, recorded, seen = facts(shared.workspace_of(options))
    observed, _ = by_uuid(recorded, seen)
    found = drift(recorded, observed, kinds=kinds())
    moved = {one.address: one.host for one in found.changes if MOVED in one.reasons}
    changes = [one for one in found.changes if MOVED not in one.reasons and MOVED_AWAY not in one.reasons]
    strangers = [note for note in orphans(recorded, observed) if parse(note.address) not in moved]
    left = [note for note in strangers if _let_go(note, store)]
    notes = (*found.notes, *(note for note in strangers if note not in left))
    if options.json:
        print(json.dumps(differences.data(changes, notes), indent=1, ensure_ascii=False))
    elif not options.quiet:
        made = Made(spec="", recorded=recorded.serial, observed=observed.digest, stead="")
        plan = Plan(made=made, steps=(), keeps={}, outputs={}, notes=notes)
        told = list(differences.lines(differences.as_plan(changes, plan), verbose=options.verbose))
        print("\n".join(told) or f"No drift: {len(recorded.resources):,} resources match the last apply.")
        if left:
            names = ", ".join(note.address for note in left)
            print(f"No longer managed, but still on their hosts: {names}.")
        if moved:
            names = ", ".join(f"{address} (to {host})" for address, host in moved.items())
            print(f"Moved by hand: {names}. The next apply records the new hosts.")
    return FOUND if changes or notes else 0


def _let_go(note: Note, store: Store) -> bool:
    """By `forget` or `state rm`: somebody meant it to be there and not to be managed."""
    told = store.history(parse(note.address) or Address("", "", ""))
    return bool(told) and told[-1].what in LET_GO


def facts(workspace: Workspace) -> tuple[Store, Recorded, Observed]:
    from stead.cli.common.workspace import open_state, read_hosts, runner_for
    from stead.core.diagnostics import Refused, has_errors
    from stead.recovery.belonging import check

    inventory, found = read_hosts(workspace)
    if has_errors(found):
        raise Refused(*found)
    store = open_state(workspace)
    recorded = store.recorded()
    observed = runner_for(workspace, inventory).observe(inventory.hosts, recorded)
    if refused := check(recorded, observed):
        raise Refused(*refused)
    return store, recorded, observed


def orphans(recorded: Recorded, observed: Observed) -> list[Note]:
    """What is on hosts and was never recorded, or is on a host where it was not put."""
    from stead.diff.model import Note

    found = []
    for address, haves in observed.haves.items():
        record = recorded.resources.get(address)
        wants = record.wants if record is not None else {}
        extra = sorted(host for host, have in haves.items() if host not in wants and not (record and have.begun))
        if extra:
            text = f"{address} is on {', '.join(extra)}, where Stead did not put it."
            found.append(Note("orphan", text, str(address), extra[0]))
    return found
