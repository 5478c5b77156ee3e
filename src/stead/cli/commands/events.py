"""Print what happened: steps of runs, and what people changed by hand, in the order of time.

  stead events                               of the last day
  stead events --since 2026-11-30            since then; `--since 2h` of the last two hours
  stead events --project acme --follow       and what happens from now on, until Ctrl-C
  stead events --follow --json               one line of JSON for each, for programs

`stead state history ADDRESS` prints those of one resource, and `stead runs` the runs. Times are UTC.

exit status: 0; 1 when the time is not valid, or there is no such project
"""

from __future__ import annotations

import argparse
import json
import re
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING

from stead.cli.common import options as shared
from stead.cli.common.console_output import RED, paint
from stead.cli.common.selection import must_be_known
from stead.cli.common.workspace import open_state
from stead.core.diagnostics import Code, Refused
from stead.plan.render.values import legible
from stead.store.model import StepState, moment

if TYPE_CHECKING:
    from stead.store import Reader
    from stead.store.model import Event

BAD_SINCE = Code("STEAD-C082", "not a time to begin with")
LOOK = 1.0  # seconds between two looks
# A transaction takes its time when it begins to write: another that ended sooner may have a later one.
LATE = 30.0
_AGO = re.compile(r"([0-9]{1,6})([smhd])")
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--since", default="1d", metavar="TIME", help="a moment, or how long ago (default: 1d)")
    parser.add_argument("--project", metavar="NAME", help="only this project")
    parser.add_argument("-f", "--follow", action="store_true", help="go on with what happens, until Ctrl-C")
    shared.inputs(parser)
    parser.add_argument("--json", action="store_true", help="print JSON, a line for each, for programs")


def run(options: argparse.Namespace) -> int:
    begin = since(options.since, time.time())
    store = open_state(shared.workspace_of(options))
    if options.project:
        must_be_known(options.project, store)
    found = followed(store, begin, options.project) if options.follow else store.events(begin, options.project)
    for one in found:
        print(json.dumps({**one._asdict(), "at": moment(one.at)}) if options.json else line(one), flush=options.follow)
    return 0


def since(text: str, now: float) -> float:
    from stead.usage.intervals import moment_of

    if match := _AGO.fullmatch(text):
        return now - int(match[1]) * _UNITS[match[2]]
    try:
        return moment_of(text)
    except ValueError as error:
        detail = f"--since {text}: write 30m, 2h or 7d, or a moment of UTC such as 2026-11-30T12:00:00."
        raise Refused(BAD_SINCE.at(None, detail)) from error


def followed(store: Reader, begin: float, project: str | None) -> Iterator[Event]:
    """Each once. What is older than the latest by a while can come no more."""
    told: set[Event] = set()
    while True:
        for one in store.events(begin, project):
            if one not in told:
                told.add(one)
                yield one
        begin = max([begin, *(one.at - LATE for one in told)])
        told = {one for one in told if one.at >= begin}
        time.sleep(LOOK)


def line(one: Event) -> str:
    where = f" on {one.host}" if one.host else ""
    run_of = f", run {one.run}" if one.run else ""
    state = "" if one.state in ("", StepState.DONE) else f" {one.state}"
    detail = f": {legible(one.detail)}" if one.detail else ""
    text = f"{moment(one.at)}  {one.what} {one.address}{where}{state} by {legible(one.who)}{run_of}{detail}"
    return paint(text, RED) if one.state == StepState.FAILED else text
