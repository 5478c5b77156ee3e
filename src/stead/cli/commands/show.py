"""Show what is recorded, one resource, or a plan file.

  stead show                            every resource, with its host and addresses
  stead show 'acme/instances/web[0]'    everything recorded about one, and its history
  stead show acme/instances/web         of all its members
  stead show today.plan                 a saved plan, in any --format

exit status: 0; 1 when there is no such resource
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

from stead.cli.common import options as shared
from stead.cli.common.console_output import BOLD, DIM, paint
from stead.cli.common.request import Printing
from stead.cli.common.workspace import BAD_OPTION, open_state
from stead.core.address import Address, order, parse
from stead.core.by_hand import STATE, by_hand, undo
from stead.core.diagnostics import Code, Refused
from stead.core.recorded import Record
from stead.plan.render import FORMATS
from stead.plan.render.entries import is_address
from stead.plan.render.names import of_addresses, of_hosts
from stead.plan.render.values import leaves, opened, safe, shown
from stead.store import Store
from stead.store.model import Event

NOTHING = Code("STEAD-C040", "no plan file or resource has this name")
MEMBERS = 20  # of a block that are told one by one


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("what", nargs="?", metavar="ADDRESS|PLAN", help="a resource or a plan file (default: all)")
    shared.inputs(parser)
    shared.output(parser, formats=FORMATS)


def run(options: argparse.Namespace) -> int:
    printing = shared.printing_of(options)
    if options.what and Path(options.what).is_file():
        return show_plan(Path(options.what), printing)
    if options.format in ("markdown", "html"):
        text = f"--format {options.format} is for a plan file. Recorded resources are shown as text or json."
        raise Refused(BAD_OPTION.at(None, text))
    store = open_state(shared.workspace_of(options))
    records = store.recorded().resources
    if not options.what:
        return show_all(records, printing)
    return show_some(named(options.what, records), store, printing)


def show_plan(path: Path, printing: Printing) -> int:
    from stead.cli.common.planning import show
    from stead.plan.file import load
    from stead.store.sealing import signing_key

    show(load(path, signing_key()), printing, ())
    return 0


def show_all(records: Mapping[Address, Record], printing: Printing) -> int:
    some = sorted(records.values(), key=lambda record: order(record.address))
    if printing.json:
        print(json.dumps({"resources": [brief(record) for record in some]}, indent=1))
        return 0
    print(
        "\n".join(_listed(some, every=printing.verbose))
        or "Nothing is recorded yet. `stead apply` records what it makes."
    )
    return 0


def _listed(records: Sequence[Record], *, every: bool) -> Iterator[str]:
    for project, here in groupby(records, key=lambda record: record.address.project):
        yield paint(f"project {project}" if project else "site", BOLD)
        for _, group in groupby(here, key=lambda record: record.address.block):
            members = list(group)
            if len(members) > MEMBERS and not every:
                hosts = of_hosts(record.host for record in members)
                yield f"  {of_addresses([record.address for record in members])}  on {hosts}"
            else:
                yield from (_line(record) for record in members)


def _line(record: Record) -> str:
    name = of_addresses([record.address])
    where = f"on {record.host}" if record.host else ""
    protected = "protected" if record.protect else ""
    state = safe(record.leases.get(STATE, ""))
    return "  ".join(
        part for part in ("", name, where, *addresses(record), state, protected) if part or part == ""
    ).rstrip()


def addresses(record: Record) -> list[str]:
    return [value for value in record.leases.values() if is_address(value)]


def brief(record: Record) -> dict[str, Any]:
    return {
        "address": str(record.address),
        "host": record.host,
        "addresses": addresses(record),
        "leases": dict(record.leases),
        "protect": record.protect,
        "reason": record.reason,
        "refers_to": [str(one) for one in record.after],
    }


def named(text: str, records: Mapping[Address, Record]) -> list[Record]:
    address = parse(text)
    found = [record for one, record in records.items() if address in (one, one.block)]
    if not found:
        raise Refused(
            NOTHING.at(None, f"No plan file and no recorded resource has the name {text!r}.{_near(text, records)}")
        )
    return sorted(found, key=lambda record: order(record.address))


def _near(text: str, records: Iterable[Address]) -> str:
    import difflib

    match = difflib.get_close_matches(text, [str(one) for one in records], n=1)
    return f" Did you mean {match[0]}?" if match else " `stead show` lists what is recorded."


def show_some(records: Sequence[Record], store: Store, printing: Printing) -> int:
    if printing.json:
        print(json.dumps({"resources": [full(one, store.history(one.address)) for one in records]}, indent=1))
        return 0
    shown_ones = records if printing.verbose else records[:MEMBERS]
    for record in shown_ones:
        print("\n".join(_told(record, store.history(record.address))))
    if len(shown_ones) < len(records):
        print(f"… and {len(records) - len(shown_ones):,} more (--verbose shows all)")
    return 0


def full(record: Record, events: Sequence[Event]) -> dict[str, Any]:
    wants = {host: opened(want.fields()) for host, want in record.wants.items()}
    history = [{"at": one.at, "who": one.who, "what": one.what, "host": one.host, "run": one.run} for one in events]
    return {**brief(record), "wants": wants, "history": history}


def _told(record: Record, events: Sequence[Event]) -> Iterator[str]:
    from stead.store.reading import moment

    yield paint(str(record.address), BOLD)
    if record.host:
        yield f"  on {record.host}"
    if record.reason:
        yield paint(f"  {safe(record.reason)}", DIM)
    if (given := by_hand(record.leases)) is not None:
        yield f"  {safe(str(given))}: `{undo(given, str(record.address))}`"
    yield from (f"  {key} = {value}" for key, value in sorted(record.leases.items()) if key != STATE)
    if record.protect:
        yield "  protected"
    if record.after:
        yield f"  refers to {', '.join(map(str, record.after))}"
    for host, want in sorted(record.wants.items()):
        yield f"  {f'on {host}' if host else 'recorded'}:"
        yield from (f"    {name} = {shown(value, name)}" for name, value in sorted(leaves(want.fields())))
    if events:
        yield "  history:"
    for one in events[-10:]:
        detail = f" ({safe(one.detail)})" if one.detail else ""
        yield f"    {moment(one.at)}  {one.what} {one.state}{detail} by {one.who}, run {one.run}"
