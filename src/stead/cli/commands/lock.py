"""Show who holds the lock that every apply takes. `stead unlock` releases it.

  stead lock
  stead lock --json

exit status: 0 when nobody holds it, 2 when somebody does
"""

from __future__ import annotations

import argparse
import json

from stead.cli.common import options as shared
from stead.cli.common.workspace import open_state
from stead.store.model import Holder, moment

HELD = 2


def arguments(parser: argparse.ArgumentParser) -> None:
    shared.inputs(parser)
    shared.output(parser)


def run(options: argparse.Namespace) -> int:
    holder = open_state(shared.workspace_of(options)).holder()
    held = holder is not None and holder.alive
    if options.json:
        print(json.dumps({"held": held, "holder": None if holder is None else described(holder)}, indent=1))
    elif holder is None:
        print("Nobody holds the lock.")
    else:
        print("\n".join(told(holder)))
    return HELD if held else 0


def described(holder: Holder) -> dict[str, object]:
    return {
        "owner": holder.owner,
        "host": holder.host,
        "pid": holder.pid,
        "since": moment(holder.since),
        "reason": holder.reason,
        "last_heard_of": moment(holder.beat),
        "alive": holder.alive,
    }


def told(holder: Holder) -> list[str]:
    state = "holds" if holder.alive else "is dead and held"
    lines = [
        f"{holder.owner} {state} the lock since {moment(holder.since)}",
        f"  on {holder.host}, process {holder.pid}; last heard of {moment(holder.beat)}",
    ]
    if holder.reason:
        lines.append(f"  for: {holder.reason}")
    if not holder.alive:
        lines.append("  The next apply takes it over by itself.")
    return lines
