"""List runs, or show the steps of one from its journal.

  stead runs                  the latest runs
  stead runs 12               the steps of run 12 and their results
  stead runs 12 --plan FILE   write the plan that it carried out to a file

exit status: 0; 1 when there is no such run
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from stead.cli.common import options as shared
from stead.cli.common.console_output import BOLD, DIM, GREEN, RED, YELLOW, paint
from stead.cli.common.workspace import open_state
from stead.plan.render.values import legible
from stead.store import Store
from stead.store.codes import UNKNOWN_RUN, refuse
from stead.store.model import JournalEntry, Outcome, RunInfo, StepState, moment

LATEST = 20
UNEVENTFUL = 50  # done steps that are told one by one; what went wrong always is
_COLOURS = {
    Outcome.DONE: GREEN,
    Outcome.RUNNING: YELLOW,
    Outcome.STOPPED: YELLOW,
    Outcome.FAILED: RED,
    Outcome.KILLED: RED,
}


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("run", nargs="?", type=shared.number(1, 10**15), metavar="RUN", help="the number of one")
    parser.add_argument("--plan", metavar="FILE", help="write the plan of that run to a file")
    parser.add_argument(
        "-n", "--limit", type=shared.number(1), default=LATEST, metavar="N", help=f"how many (default: {LATEST})"
    )
    shared.inputs(parser)
    shared.output(parser)


def run(options: argparse.Namespace) -> int:
    store = open_state(shared.workspace_of(options))
    if options.run is None:
        return listed(store, options.limit, as_json=options.json)
    info = store.run(options.run)
    if info is None:
        refuse(UNKNOWN_RUN, f"There is no run {options.run}. `stead runs` lists them.")
    if options.plan:
        return extracted(store, info, Path(options.plan))
    entries = store.journal(info.id)
    if options.json:
        steps = [{**one._asdict(), "began": moment(one.began), "ended": _when(one.ended)} for one in entries]
        print(json.dumps({**described(info), "journal": steps}, indent=1))
        return 0
    print(line(info))
    for one in told(list(entries), every=options.verbose):
        print(one)
    return 0


def listed(store: Store, most: int, *, as_json: bool) -> int:
    infos = store.runs(most)
    if as_json:
        print(json.dumps({"runs": [described(one) for one in infos]}, indent=1))
        return 0
    print("\n".join(line(one) for one in infos) or "No run yet.")
    return 0


def described(info: RunInfo) -> dict[str, object]:
    return {**info._asdict(), "started": moment(info.started), "ended": _when(info.ended)}


def _when(at: float | None) -> str | None:
    return None if at is None else moment(at)


def line(info: RunInfo) -> str:
    outcome = paint(info.outcome, _COLOURS[info.outcome], BOLD)
    parts = [f"{info.done:,} of {info.steps:,} steps"]
    parts += [f"{info.failed:,} failed"] if info.failed else []
    parts += [f"{info.skipped:,} skipped"] if info.skipped else []
    took = f" in {info.ended - info.started:.0f} s" if info.ended is not None else ""
    why = f"  {info.reason}" if info.reason else ""
    return f"{info.id:>5}  {moment(info.started)}  {outcome}  {', '.join(parts)}{took}, by {info.who}{why}"


def told(entries: list[JournalEntry], *, every: bool) -> list[str]:
    """What went wrong, always; what went well only when there is little of it."""
    quiet = [one for one in entries if one.state is StepState.DONE]
    shown = (
        entries if every or len(quiet) <= UNEVENTFUL else [one for one in entries if one.state is not StepState.DONE]
    )
    found = []
    for one in shown:
        where = f" on {one.host}" if one.host else ""
        error = f": {legible(one.error)}" if one.error else ""
        text = f"  {one.step:>6}  {one.state:<7}  {one.action} {one.address}{where}{error}"
        found.append(paint(text, DIM) if one.state is StepState.DONE else text)
    if len(shown) < len(entries):
        found.append(f"  … and {len(quiet):,} successful steps (--verbose shows them)")
    return found


def extracted(store: Store, info: RunInfo, path: Path) -> int:
    from stead.plan import file as plans
    from stead.store.sealing import signing_key

    content = store.plan(info.plan)
    if content is None:
        refuse(UNKNOWN_RUN, f"The plan of run {info.id} is no longer kept.")
    plans.save(plans.read(content.splitlines(keepends=True), f"plan of run {info.id}"), path, signing_key())
    return 0
