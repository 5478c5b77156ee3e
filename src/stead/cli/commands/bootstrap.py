"""Prepare the hosts of an inventory for their roles: packages, services, directories. Safe to run again.

stead bootstrap
stead bootstrap -i inventory.yml --check           show what would be done, and do nothing
stead bootstrap -i inventory.yml --limit compute-3
stead bootstrap --leave-site --limit compute-3     it belonged to another site, and joins this one
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Mapping, Sequence

from stead.cli.commands.hosts import real_inventory
from stead.cli.common import options as shared
from stead.cli.common.console_output import DIM, GREEN, RED, YELLOW, paint
from stead.core.diagnostics import Code, Refused
from stead.runner.playbook import Became, Event, PlaybookCall, Ran, Task, TaskOutcome
from stead.runner.playbook import run as play
from stead.site.inventory.serving import ApiSettings

PLAYBOOK = "stead.cloud.bootstrap"
FAILED = Code("STEAD-H019", "a host could not be prepared")
BROKEN = Code("STEAD-H020", "the bootstrap did not run")


def arguments(parser: argparse.ArgumentParser) -> None:
    shared.inventory(parser)
    parser.add_argument("--check", action="store_true", help="show what would be done, and do nothing")
    parser.add_argument("--limit", action="append", default=[], metavar="HOST", help="only this host or group")
    parser.add_argument(
        "--leave-site",
        action="store_true",
        help="remove hosts from their site: their resources are no longer managed, and the next apply takes "
        "them into its own site",
    )
    parser.add_argument("-v", "--verbose", action="store_true", help="show what was done on each host")
    parser.add_argument(
        "--ansible",
        action="append",
        default=[],
        metavar="OPTION",
        help="an option for ansible-playbook, as --ansible=-K",
    )


def run(options: argparse.Namespace) -> int:
    inventory = real_inventory(shared.workspace_of(options))
    begun = time.monotonic()
    progress = Progress(len(inventory.hosts), verbose=options.verbose, began=begun)
    playbook = PlaybookCall(
        name=PLAYBOOK,
        inventory=inventory.sources,
        variables={"host_leave_site": True} if options.leave_site else {},
        limit=options.limit,
        check=options.check,
        arguments=options.ansible,
    )
    ran = play(playbook, progress.take)
    progress.end()
    if not ran.counts:
        raise Refused(BROKEN.at(None, ran.said or "Ansible found no host to prepare."))
    print(summary(ran, check=options.check, seconds=time.monotonic() - begun))
    for host in sorted(inventory.serving.keys() & ran.counts.keys() - ran.failed.keys()):
        if not options.check:
            print(served(host, inventory.serving[host]))
    wrong = [FAILED.at(None, why, address=host) for host, why in sorted({**ran.failed, **ran.unreachable}.items())]
    if wrong:
        raise Refused(*wrong)
    return 0


def served(host: str, api: ApiSettings) -> str:
    authority = " /etc/stead/serve/ca-cert.pem there is for its clients." if api.own else ""
    return f"{host} runs the API, on port {api.port}. `stead-site user` there manages its users.{authority}"


class Progress:
    """One line that changes when a person looks on, a line per task otherwise."""

    def __init__(
        self, hosts: int, *, verbose: bool, began: float, write: Callable[[str], object] | None = None
    ) -> None:
        self._hosts, self._verbose, self._began = hosts, verbose, began
        self._write = write or sys.stderr.write
        self._live = sys.stderr.isatty() and write is None
        self._task, self._done = "", 0

    def take(self, event: Event) -> None:
        match event:
            case Task(name):
                self._task, self._done = name.split(" : ")[-1], 0
                if not self._live:
                    self._line(self._task)
            case TaskOutcome(host, task, became, message, result):
                self._done += 1
                if became in (Became.FAILED, Became.UNREACHABLE):
                    self._line(paint(f"{host}: {message or became}", RED, stream=sys.stderr))
                elif self._verbose and became is Became.CHANGED:
                    self._tell(host, task, result)
        if self._live:
            self._write(f"\r\033[K{time.monotonic() - self._began:6.1f} s  {self._task}  {self._done}/{self._hosts}")
            sys.stderr.flush()

    def _tell(self, host: str, task: str, result: Mapping[str, object]) -> None:
        done = result.get("done")
        for line in done if isinstance(done, Sequence) and not isinstance(done, str) and done else [task]:
            self._line(paint(f"{host}: {line}", DIM, stream=sys.stderr))

    def _line(self, text: str) -> None:
        start = "\r\033[K" if self._live else ""
        self._write(f"{start}{time.monotonic() - self._began:6.1f} s  {text}\n")

    def end(self) -> None:
        if self._live:
            self._write("\r\033[K")


def summary(ran: Ran, *, check: bool, seconds: float) -> str:
    words = "would change" if check else "changed"
    lines = []
    for host in sorted(ran.counts):
        count = ran.counts[host]
        if host in ran.unreachable or count.get("dark"):
            text = paint("does not answer", RED)
        elif count.get("failures"):
            text = paint("failed", RED)
        elif count.get("changed"):
            text = paint(words if check else "prepared", YELLOW if check else GREEN)
        else:
            text = paint("was prepared already", GREEN)
        lines.append(f"  {host:<20} {text}")
    changed = sum(1 for count in ran.counts.values() if count.get("changed"))
    return "\n".join([*lines, f"{changed} of {len(ran.counts)} hosts {words}, in {seconds:.1f} s"])
