"""Show the recorded state, and edit it by hand. Hosts are never changed.

  stead state list [ADDRESS ...]       recorded resources, one address per line
  stead state show ADDRESS             everything recorded about one
  stead state history ADDRESS          what was done to it, by whom, in which run
  stead state mv OLD NEW               record it under another name (`moved` in the spec does this automatically)
  stead state rm ADDRESS ...           remove it from the record (`forget` in the spec does this automatically)
  stead state migrate LOCATION         move the whole store to a file or to postgresql://…; the old one is closed
  stead state encrypt                  encrypt a store that was made without a key

ADDRESS may be a block (acme/instances/web): all its members.

exit status: 0; 1 when there is no such resource
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from stead.cli.common import options as shared
from stead.cli.common.request import Printing
from stead.cli.common.selection import chosen
from stead.cli.common.workspace import Workspace, open_state
from stead.core.address import order, parse
from stead.core.named import NamedTuple
from stead.plan.render.values import legible, safe
from stead.store.codes import KEY_NEEDED, TAKEN_ADDRESS, UNKNOWN_ADDRESS, refuse
from stead.store.model import LockRequest, Writes, moment

if TYPE_CHECKING:
    from stead.store import Store


class StateCommand(NamedTuple):
    text: str
    words: tuple[tuple[str, str], ...]  # positional arguments: (name, how many: "", "*" or "+")
    run: Callable[[argparse.Namespace], int]


def arguments(parser: argparse.ArgumentParser) -> None:
    subparsers = parser.add_subparsers(dest="subcommand", metavar="SUBCOMMAND", required=True)
    for name, sub in SUBCOMMANDS.items():
        child = subparsers.add_parser(name, help=sub.text, description=sub.text)
        for word, many in sub.words:
            child.add_argument(word, metavar=word.upper(), nargs=many or None)
        shared.inputs(child)
        shared.output(child)


def run(options: argparse.Namespace) -> int:
    return SUBCOMMANDS[options.subcommand].run(options)


def who() -> str:
    from stead.cli.common.applying import who as person

    return person()


def list_all(options: argparse.Namespace) -> int:
    records = open_state(shared.workspace_of(options)).recorded().resources
    wanted = chosen(records, options.address) if options.address else sorted(records, key=order)
    if options.json:
        found = [{"address": str(one), "host": records[one].host, "protect": records[one].protect} for one in wanted]
        print(json.dumps({"resources": found}, indent=1))
    elif wanted:
        print("\n".join(map(str, wanted)))
    return 0


def show(options: argparse.Namespace) -> int:
    from stead.cli.commands.show import show_some

    store = open_state(shared.workspace_of(options))
    records = store.recorded().resources
    return show_some([records[one] for one in chosen(records, [options.address])], store, shared.printing_of(options))


def history(options: argparse.Namespace) -> int:
    address = parse(options.address)
    store = open_state(shared.workspace_of(options))
    events = list(store.history(address)) if address is not None else []
    if not events:  # of a block, then: of those members that it has now
        members = [one for one in store.recorded().resources if one.block == address]
        events = sorted((event for one in members for event in store.history(one)), key=lambda one: one.at)
    if not events:
        refuse(UNKNOWN_ADDRESS, f"There is no history of {options.address!r}.", address=options.address)
    if options.json:
        print(json.dumps({"history": [{**one._asdict(), "at": moment(one.at)} for one in events]}, indent=1))
        return 0
    for one in events:
        where = f" on {one.host}" if one.host else ""
        run_of = f", run {one.run}" if one.run else ""
        state = f" {one.state}" if one.state not in ("", "done") else ""
        detail = f": {legible(one.detail)}" if one.detail else ""
        name = f" {one.address}" if one.address != options.address else ""
        print(f"{moment(one.at)}  {one.what}{name}{where}{state} by {one.who}{run_of}{detail}")
    return 0


def move(options: argparse.Namespace) -> int:
    new = parse(options.new)
    if new is None:
        refuse(
            UNKNOWN_ADDRESS,
            f"{options.new!r} is not an address. Write [PROJECT/]KIND/NAME, such as acme/instances/web.",
        )
    store = open_state(shared.workspace_of(options))
    with store.lock(LockRequest(who(), safe(f"state mv {options.old} {options.new}"))) as hold:
        records = store.recorded().resources
        old = chosen(records, [options.old])
        renamed = {
            one: new if len(old) == 1 and parse(options.old) == one else new._replace(key=one.key) for one in old
        }
        for one, name in renamed.items():
            if name.kind != one.kind:
                refuse(UNKNOWN_ADDRESS, f"{one} cannot become {name}: that is another kind.", address=str(one))
            if name in records and name not in renamed:
                refuse(
                    TAKEN_ADDRESS, f"{name} is recorded already. Rename or remove that record first.", address=str(name)
                )
        store.edit(hold, who(), "moved", Writes(renamed=renamed))
    done = [{"from": str(one), "to": str(name)} for one, name in renamed.items()]
    told = [f"{one['from']} is now {one['to']}" for one in done]
    hint = "Hosts still have the old name; the next apply updates them."
    return tell(shared.printing_of(options), {"moved": done}, told, hint)


def remove(options: argparse.Namespace) -> int:
    store = open_state(shared.workspace_of(options))
    with store.lock(LockRequest(who(), safe(f"state rm {' '.join(options.address)}"))) as hold:
        gone = chosen(store.recorded().resources, options.address)
        store.edit(hold, who(), "removed", Writes(gone=gone))
    names = list(map(str, gone))
    hint = "No host was changed: the resources keep running, and what they depend on is kept."
    told = [f"{one} is no longer recorded" for one in names]
    return tell(shared.printing_of(options), {"removed": names}, told, hint)


def encrypt(options: argparse.Namespace) -> int:
    from stead.store.sealing import FILE_VARIABLE, VARIABLE, configured_key

    key = configured_key()
    if not key:
        refuse(KEY_NEEDED, f"Give the key to seal the store with in ${VARIABLE}, or its file in ${FILE_VARIABLE}.")
    store = _without_key(shared.workspace_of(options))
    with store.lock(LockRequest(who(), "state encrypt")) as hold:
        store.encrypt(hold, key)
    told = ["The store is encrypted. Only this key opens it: keep the key safe."]
    return tell(shared.printing_of(options), {"encrypted": True}, told, "")


def migrate(options: argparse.Namespace) -> int:
    from stead.store import place_at

    workspace = shared.workspace_of(options)
    store = open_state(workspace)
    with store.lock(LockRequest(who(), "state migrate")) as hold:
        where = store.move(hold, place_at(options.location), workspace.directory)
    hint = (
        "The old store is closed. Use the new one from now on, with --store or STEAD_STORE, and tell your colleagues."
    )
    return tell(shared.printing_of(options), {"moved": where}, [f"The store is now {where}."], hint)


def _without_key(workspace: Workspace) -> Store:
    """The store as it is now: the key is for what it will be."""
    from stead.store import open_store

    return open_store(workspace.store, directory=workspace.directory)


def tell(printing: Printing, values: Mapping[str, object], lines: Sequence[str], hint: str) -> int:
    if printing.json:
        print(json.dumps(values, indent=1))
    elif not printing.quiet:
        print("\n".join([*lines, *([hint] if hint else [])]))
    return 0


SUBCOMMANDS: dict[str, StateCommand] = {
    "list": StateCommand("recorded resources, one address per line", (("address", "*"),), list_all),
    "show": StateCommand("everything recorded about one", (("address", ""),), show),
    "history": StateCommand("what was done to it, by whom, in which run", (("address", ""),), history),
    "mv": StateCommand("record it under another name", (("old", ""), ("new", "")), move),
    "rm": StateCommand("record it no longer, and leave it as it is", (("address", "+"),), remove),
    "migrate": StateCommand("move all of it to another file or database", (("location", ""),), migrate),
    "encrypt": StateCommand("encrypt a store that was made without a key", (), encrypt),
}
