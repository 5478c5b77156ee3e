"""Back up volumes and root disks of instances, and look at the backups.

  stead backup run                         all disks that are recorded
  stead backup run acme/volumes/pgdata     some; also a block, acme/instances/web
  stead backup run --project acme
  stead backup list [ADDRESS]              the backups, the oldest first
  stead backup show ID                     one, and the lines of a spec that restore it
  stead backup verify                      read all of the repository, and compare its digests
  stead backup verify --quick              only look whether all parts are there
  stead backup fetch ID FILE               write one to a file: of the store, or a disk as raw content
  stead backup forget ID                   remove one

A host of the inventory keeps them: the one with `stead_backup`. Running instances go on, and each disk is backed up as
it is at one moment: as after a power cut. The store is part of each run without addresses; sealed values stay sealed.
To restore a disk, name a backup in the spec: volumes: {NAME: {from: {backup: …}}}.

exit status: 0; 1 when a disk was not backed up, when there is no such backup, or when the repository is damaged
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from stead.cli.commands.export import THERE
from stead.cli.common import options as shared
from stead.cli.common.console_output import DIM, GREEN, RED, complain, paint
from stead.core.diagnostics import Code, Diagnostic, Refused
from stead.core.named import NamedTuple
from stead.kinds.shared.amounts import readable
from stead.plan.render.values import safe

if TYPE_CHECKING:
    from stead.cli.common.workspace import Workspace
    from stead.runner.backups import BackupHosts, Kept, RecordedDisk, Saved

NO_KEEPER = Code("STEAD-C074", "no host keeps backups")
NOT_SAVED = Code("STEAD-C075", "a disk was not backed up")
NOTHING = Code("STEAD-C076", "there is nothing to back up")
NO_BACKUP = Code("STEAD-C077", "there is no such backup")
UNUSABLE = Code("STEAD-C078", "the backups cannot be used")
STORE = "store"  # no address of a resource


class BackupCommand(NamedTuple):
    text: str
    run: Callable[[argparse.Namespace], int]
    words: tuple[tuple[str, str], ...] = ()  # positional arguments: (name, how many: "" or "*")


def arguments(parser: argparse.ArgumentParser) -> None:
    subparsers = parser.add_subparsers(dest="subcommand", metavar="SUBCOMMAND", required=True)
    for name, sub in SUBCOMMANDS.items():
        child = subparsers.add_parser(name, help=sub.text, description=sub.text)
        for word, many in sub.words:
            child.add_argument(word, metavar=word.upper(), nargs=many or None)
        if name == "run":
            child.add_argument(
                "--project", action="append", default=[], metavar="NAME", help="only this project; may be repeated"
            )
        if name == "verify":
            child.add_argument("--quick", action="store_true", help="look whether all parts are there, read no data")
        child.add_argument("--on", metavar="HOST", help="the host that keeps them, where several do")
        shared.inputs(child)
        shared.output(child)


def run(options: argparse.Namespace) -> int:
    from stead.runner.disk_streams import HostRefused

    try:
        return SUBCOMMANDS[options.subcommand].run(options)
    except HostRefused as error:
        raise Refused(UNUSABLE.at(None, str(error))) from error


def run_all(options: argparse.Namespace) -> int:
    workspace = shared.workspace_of(options)
    hosts, keeper = _keeper(workspace, options.on)
    tell = (lambda _text: None) if options.json else _print
    disks = _chosen(workspace, options.address, options.project)
    made: dict[str, Saved] = {}
    wrong: list[Diagnostic] = []
    for disk in disks:
        began = time.monotonic()
        saved = _save(hosts, disk, keeper)
        if isinstance(saved, str):
            wrong.append(NOT_SAVED.at(None, saved, address=str(disk.address)))
            tell(paint(f"  {safe(str(disk.address))}  failed", RED))
        else:
            made[str(disk.address)] = saved
            tell(f"  {_line(disk, saved, time.monotonic() - began)}")
    if not options.address and not options.project:
        saved = _save_store(hosts, workspace, keeper)
        if isinstance(saved, str):
            wrong.append(NOT_SAVED.at(None, saved, address=STORE))
        else:
            made[STORE] = saved
            tell(f"  {STORE}  {paint(saved.id, GREEN)}  {readable(saved.size)}, {readable(saved.added)} new")
    forgotten = 0
    if not wrong:  # else the old ones may be what somebody needs
        forgotten = hosts.ask(keeper, "forget", {}, None)["forgotten"]
    if options.json:
        saved_ones = [{"address": address, **one._asdict()} for address, one in made.items()]
        failed = [{"address": one.address, "error": one.detail} for one in wrong]
        print(json.dumps({"backups": saved_ones, "failed": failed, "forgotten": forgotten}, indent=1))
    else:
        words = f"{len(made.keys() - {STORE})} of {len(disks)} disks backed up on {keeper}"
        print(words + (f", {forgotten} old backups removed" if forgotten else ""))
    complain(wrong)
    return int(bool(wrong))


def _save(hosts: BackupHosts, disk: RecordedDisk, keeper: str) -> Saved | str:
    """Or why not."""
    from stead.runner.disk_streams import HostRefused

    try:
        return hosts.read(disk, lambda using: hosts.save(disk, using, keeper))
    except HostRefused as error:
        return str(error)


def _save_store(hosts: BackupHosts, workspace: Workspace, keeper: str) -> Saved | str:
    import tempfile
    from pathlib import Path

    from stead.cli.common.workspace import open_state
    from stead.runner.disk_streams import HostRefused
    from stead.store import place_at

    with tempfile.TemporaryDirectory(dir=workspace.directory) as folder:  # private, as the store is
        path = Path(folder) / "store"
        try:
            open_state(workspace).copy(place_at(str(path)))
            return hosts.save_file(path, STORE, keeper)
        except HostRefused as error:
            return str(error)


def _print(text: str) -> None:
    print(text, flush=True)


def _line(disk: RecordedDisk, made: Saved, seconds: float) -> str:
    sizes = f"{readable(made.size)}, {readable(made.added)} new"
    return f"{safe(str(disk.address))}  {paint(made.id, GREEN)}  {sizes}, {made.moment}, {seconds:.1f} s"


def list_all(options: argparse.Namespace) -> int:
    hosts, keeper = _keeper(shared.workspace_of(options), options.on)
    wanted = set(options.address)
    found = [one for one in hosts.listed(keeper) if not wanted or _goes_by(one.address, wanted)]
    if options.json:
        print(json.dumps({"backups": [one._asdict() for one in found]}, indent=1))
        return 0
    for one in found:
        print(f"{_when(one)}  {safe(one.address)}@{one.id}  {readable(one.size)}, {one.moment}, from {one.host}")
    if not found:
        print(paint("No backups.", DIM))
    return 0


def _goes_by(address: str, wanted: set[str]) -> bool:
    return address in wanted or address.partition("[")[0] in wanted or address.partition("/")[0] in wanted


def _when(one: Kept) -> str:
    return one.at[:19].replace("T", " ") + " UTC"


def show(options: argparse.Namespace) -> int:
    hosts, keeper = _keeper(shared.workspace_of(options), options.on)
    one = _named(hosts.listed(keeper), options.id)
    if options.json:
        print(json.dumps(one._asdict(), indent=1))
        return 0
    project, slash, rest = one.address.partition("/")
    print(f"{safe(one.address)}@{one.id}, {_when(one)}, {readable(one.size)}, {one.moment}, from {one.host}")
    if not slash:
        print("\n`stead backup fetch` writes it to a file, which `--store FILE` opens.")
        return 0
    print(f"\nTo restore it as a new volume of project {safe(project)}:\n")
    name = safe(rest.partition("/")[2].partition("[")[0])
    print(
        f'    volumes:\n      {name}-restored: {{size: {one.size >> 20}MiB, from: {{backup: "{safe(rest)}@{one.id}"}}}}'
    )
    return 0


def _named(found: Sequence[Kept], name: str) -> Kept:
    stem = name.rpartition("@")[2]
    some = [
        one for one in found if len(stem) >= 4 and one.id.startswith(stem) and name in (stem, f"{one.address}@{stem}")
    ]
    if len(some) != 1:
        raise Refused(NO_BACKUP.at(None, f"There is no backup {name!r}. `stead backup list` lists them."))
    return some[0]


def verify(options: argparse.Namespace) -> int:
    hosts, keeper = _keeper(shared.workspace_of(options), options.on)
    counted = hosts.ask(keeper, "verify", {"quick": options.quick}, None)["backups"]
    read = "all parts are there" if options.quick else "all data was read"
    print(f"{counted} backups on {keeper}: {read}, nothing is wrong")
    return 0


def fetch(options: argparse.Namespace) -> int:
    from pathlib import Path

    hosts, keeper = _keeper(shared.workspace_of(options), options.on)
    one, path = _named(hosts.listed(keeper), options.id), Path(options.file)
    if path.exists():
        raise Refused(THERE.at(None, f"{path} is there already. Name another file, or remove it."))
    hosts.fetch(one, keeper, path)
    print(f"{path} is {safe(one.address)}@{one.id}, {readable(one.size)}")
    return 0


def forget(options: argparse.Namespace) -> int:
    hosts, keeper = _keeper(shared.workspace_of(options), options.on)
    one = _named(hosts.listed(keeper), options.id)
    hosts.ask(keeper, "forget", {"ids": [one.id]}, None)
    print(f"{safe(one.address)}@{one.id} is removed")
    return 0


def _keeper(workspace: Workspace, named: str | None) -> tuple[BackupHosts, str]:
    from stead.cli.commands.hosts import real_inventory
    from stead.runner.backups import BackupHosts

    inventory = real_inventory(workspace)
    names = sorted(inventory.backups)
    if named and named in names:
        names = [named]
    elif named or not names:
        who = f"{named} has" if named else "No host of the inventory has"
        text = f"{who} no stead_backup." if named else f"{who} stead_backup."
        raise Refused(NO_KEEPER.at(None, f"{text} Write stead_backup: {{path: /srv/backup}} for it, and bootstrap it."))
    if len(names) != 1:
        raise Refused(NO_KEEPER.at(None, f"Several do: {', '.join(names)}. Say which, with --on."))
    return BackupHosts(inventory=inventory), names[0]


def _chosen(workspace: Workspace, texts: Sequence[str], projects: Sequence[str]) -> list[RecordedDisk]:
    from stead.cli.common.workspace import open_state
    from stead.kinds import kinds
    from stead.runner.backups import disks_of

    disks = disks_of(open_state(workspace).recorded(), kinds())
    for text in texts:
        if not any(_goes_by(str(disk.address), {text}) for disk in disks):
            raise Refused(NOTHING.at(None, f"Nothing with a disk is recorded as {text!r}.", address=text))
    wanted = {*texts, *projects}
    found = [disk for disk in disks if not wanted or _goes_by(str(disk.address), wanted)]
    if not found:
        raise Refused(NOTHING.at(None, "No volume and no root disk is recorded. Apply the spec first."))
    return found


SUBCOMMANDS: Mapping[str, BackupCommand] = {
    "run": BackupCommand("back up disks", run_all, (("address", "*"),)),
    "list": BackupCommand("list backups", list_all, (("address", "*"),)),
    "show": BackupCommand("show one, and how to restore it", show, (("id", ""),)),
    "fetch": BackupCommand("write one to a file", fetch, (("id", ""), ("file", ""))),
    "verify": BackupCommand("check the repository", verify),
    "forget": BackupCommand("remove one", forget, (("id", ""),)),
}
