"""Release the lock of an apply. Use it only when you are sure that the apply is dead.

  stead lock        who it is
  stead unlock

The store then refuses whatever that apply tries to write, so the record stays consistent. But a step that is running
on a host goes on. You need this rarely: if the process is dead on this machine, or was silent for a minute, the next
apply takes the lock over automatically.

exit status: 0; 1 when nobody holds it
"""

from __future__ import annotations

import argparse
import json
import sys

from stead.cli.commands.lock import described, told
from stead.cli.common import options as shared
from stead.cli.common.applying import who
from stead.cli.common.workspace import open_state
from stead.core.diagnostics import Code
from stead.store.codes import NO_LOCK, refuse

UNSURE = Code("STEAD-S018", "the lock was not taken away")


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--auto-approve", action="store_true", help="do not ask")
    shared.inputs(parser)
    shared.output(parser)


def run(options: argparse.Namespace) -> int:
    store = open_state(shared.workspace_of(options))
    holder = store.holder()
    if holder is None:
        refuse(NO_LOCK, "Nobody holds the lock, so there is nothing to unlock.")
    if holder.alive and not options.auto_approve:
        print("\n".join(told(holder)), file=sys.stderr)
        if not sys.stdin.isatty():
            refuse(UNSURE, f"{holder.owner} is alive. To take the lock from it anyway, use --auto-approve.")
        print(f"To take it away, type the owner's name ({holder.owner}): ", end="", file=sys.stderr, flush=True)
        if sys.stdin.readline().strip() != holder.owner:
            refuse(UNSURE, "The name does not match. Nothing was changed.")
    taken = store.unlock(who())
    if options.json:
        print(json.dumps({"taken_from": described(taken)}, indent=1))
    elif not options.quiet:
        print(f"The lock of {taken.owner} on {taken.host}, process {taken.pid}, was taken away.")
    return 0
