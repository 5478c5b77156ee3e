"""Rebuild a lost store from what the hosts have recorded. Changes no host.

  stead recover --dry-run    show what would be found, and what is missing
  stead recover              write it into the store, which is new or empty
  stead recover              run again to complete it, when a silent host answers
  stead recover --merge      complete a store that is not empty: an older copy from a backup
  stead recover --without compute-2     that host is gone for good, with everything on it

Each host keeps a copy of the record of its resources. Controllers also keep the documents of projects of the API.
What is on no host (for example a flavor) comes from the spec. Each part that is damaged, missing or contradictory is
reported. Until all hosts have answered, nothing is planned.

exit status: 0 complete; 2 something is missing or contradictory; 1 nothing was written
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping
from typing import TYPE_CHECKING

from stead.cli.common import options as shared
from stead.core.diagnostics import Code, Diagnostic, Refused, Severity, has_errors

if TYPE_CHECKING:
    from stead.cli.common.workspace import Workspace
    from stead.core.observed import Observed
    from stead.recovery.rebuild import Rebuilt
    from stead.site.inventory import Inventory
    from stead.store import Store
    from stead.store.model import Document

MISSING = 2
NO_KEY = Code("STEAD-S034", "no host keeps the key of this site's secrets", Severity.WARNING)


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--dry-run", action="store_true", help="show what would be found, and write nothing")
    parser.add_argument("--merge", action="store_true", help="complete a store that is not empty")
    parser.add_argument(
        "--without", action="append", default=[], metavar="HOST", help="a host that never comes back; may be repeated"
    )
    shared.inputs(parser)
    shared.output(parser)


def run(options: argparse.Namespace) -> int:
    from stead.cli.common.console_output import as_data, complain
    from stead.cli.common.workspace import read_hosts, runner_for
    from stead.core.recorded import Recorded
    from stead.core.value import replace
    from stead.recovery.rebuild import rebuild

    workspace = shared.workspace_of(options)
    inventory, found = read_hosts(workspace)
    if has_errors(found):
        raise Refused(*found)
    store = _there(workspace)
    before = store.recorded() if store is not None else Recorded()
    _must_be_open(len(before.resources), completing=options.merge or bool(before.unheard))
    observed, memories = runner_for(workspace, inventory).recall(inventory.hosts)
    rebuilt = rebuild(memories, before, frozenset(options.without))
    if has_errors(rebuilt.found):
        raise Refused(*rebuilt.found)
    _same_site(workspace, store, rebuilt.recorded.site)
    key, found = _key(workspace, rebuilt, dry=options.dry_run)
    documents = _documents(store, rebuilt, key)
    known = replace(rebuilt.recorded, documented=rebuilt.recorded.documented | documents.keys())
    rebuilt = replace(rebuilt, recorded=known, found=(*rebuilt.found, *found))
    there = store.documents() if store is not None else {}
    rebuilt = _completed(workspace, rebuilt, observed, key, {**there, **documents})
    if not options.dry_run:
        _write(workspace, store, rebuilt, documents)
    if options.json:
        names = sorted(map(str, rebuilt.recorded.resources))
        data = {"site": rebuilt.recorded.site, "resources": names, "unheard": sorted(rebuilt.recorded.unheard)}
        print(json.dumps(data | {"diagnostics": [as_data(one) for one in rebuilt.found]}, indent=1))
    else:
        complain(rebuilt.found)
        if not options.quiet:
            print(told(rebuilt, inventory, dry=options.dry_run))
    return MISSING if rebuilt.found else 0


def _there(workspace: Workspace) -> Store | None:
    """None where it is missing, whether there ever was one or not: that is what this command is for."""
    from stead.cli.common.workspace import open_state
    from stead.store.codes import MISSING as GONE
    from stead.store.codes import NO_STORE

    try:
        return open_state(workspace)
    except Refused as refused:
        if any(one.code not in (GONE.id, NO_STORE.id) for one in refused.diagnostics):
            raise
        return None


def _must_be_open(resources: int, *, completing: bool) -> None:
    from stead.store.codes import NOT_EMPTY, refuse

    if resources and not completing:
        refuse(
            NOT_EMPTY,
            f"The store here has {resources} resources. Where it is an older copy, `stead recover --merge` "
            "completes it from the hosts; otherwise there is nothing to recover.",
        )


def _same_site(workspace: Workspace, store: Store | None, site: str) -> None:
    """A directory that knows its site is not given another's store: these would be the wrong hosts."""
    from stead.store.init import check_site, read_marker

    known, where = read_marker(workspace.directory)
    if store is None:
        check_site(
            site, known, f"What the hosts of this inventory remember (the store was {where})", workspace.directory
        )


def _key(workspace: Workspace, rebuilt: Rebuilt, *, dry: bool) -> tuple[bytes, list[Diagnostic]]:
    from stead.cli.common.workspace import take_key
    from stead.store.sealing import configured_key

    found = []
    if not rebuilt.key and not configured_key():
        text = (
            "Hosts of the role controller keep it, and none that answered has it. Restore `.stead/key` from a backup; "
            "without it every secret of the spec looks changed once."
        )
        found.append(NO_KEY.at(None, text))
    return take_key(workspace, rebuilt.key, dry=dry), found


def _documents(store: Store | None, rebuilt: Rebuilt, key: bytes) -> dict[str, Document]:
    """Of projects of the API, those that hosts have kept and that are newer than the store's. What another key has
    sealed is told later, with what no host has kept.
    """
    from stead.run.documents import opened

    found: dict[str, Document] = {}
    for project, kept in rebuilt.documents.items():
        last = next(iter(store.versions(project, 1)), None) if store is not None else None
        newer = (one for one in kept if last is None or last.revision < one.revision)
        if (document := opened(project, newer, key)) is not None:
            found[project] = document
    return found


def _completed(
    workspace: Workspace, rebuilt: Rebuilt, observed: Observed, key: bytes, documents: Mapping[str, Document]
) -> Rebuilt:
    from stead.blueprint.placement.plugins import load_plugins
    from stead.blueprint.settle import Overrides, settle
    from stead.cli.common.workspace import read_spec, stored_of
    from stead.core.value import replace
    from stead.kinds import kinds
    from stead.recovery.derive import PARTIAL, complete
    from stead.recovery.documents import not_recovered

    desired, more = read_spec(workspace, key, stored=stored_of(workspace, documents))
    if has_errors(more):
        raise Refused(*more)
    found = [*rebuilt.found, *not_recovered(desired, rebuilt.recorded, observed)]
    overrides = Overrides(plugins=load_plugins())
    blueprint, more = settle(desired, rebuilt.recorded, observed, kinds=kinds(), key=key, overrides=overrides)
    rebuilt = replace(rebuilt, found=tuple(found))
    if blueprint is not None and not has_errors(more):
        return complete(rebuilt, blueprint)
    why = "; ".join(one.detail for one in more if one.severity is Severity.ERROR)
    text = f"Resources without a host are read from the spec, which cannot be planned yet: {why}"
    return replace(rebuilt, found=(*found, PARTIAL.at(None, text)))


def _write(workspace: Workspace, store: Store | None, rebuilt: Rebuilt, documents: Mapping[str, Document]) -> None:
    from stead.cli.common.applying import who
    from stead.cli.common.workspace import open_state
    from stead.run.measuring import all_measured
    from stead.store import init
    from stead.store.model import Lineage, LockRequest, Writes

    recorded = rebuilt.recorded
    if store is None:
        init.forget_marker(workspace.directory)
        store = open_state(workspace, create=True)
    records = list(recorded.resources.values())
    writes = Writes(
        records=records,
        wants=[(one.address, host, want) for one in records for host, want in one.wants.items()],
        outputs=recorded.outputs,
        metered=list(all_measured(recorded)),
    )
    lineage = Lineage(
        site=recorded.site,
        serial=recorded.serial,
        tokens=recorded.tokens,
        unheard=recorded.unheard,
        documents=tuple(documents.values()),
    )
    with store.lock(LockRequest(who(), "recover")) as hold:
        store.restore(hold, who(), lineage, writes, workspace.directory)


def told(rebuilt: Rebuilt, inventory: Inventory, *, dry: bool) -> str:
    recorded = rebuilt.recorded
    leases = sum(len(one.leases) for one in recorded.resources.values())
    heard = len(inventory.hosts) - len(recorded.unheard & inventory.hosts.keys())
    what = f"{len(recorded.resources):,} resources with {leases:,} leases of site {recorded.site}"
    lines = [f"{'Would recover' if dry else 'Recovered'} {what}, from {heard} of {len(inventory.hosts)} hosts."]
    if recorded.unheard:
        names = ", ".join(sorted(recorded.unheard))
        lines.append(f"No answer from: {names}. Nothing is planned until `stead recover` has completed it.")
    elif not dry:
        lines.append("`stead plan` says what is left to do.")
    return "\n".join(lines)
