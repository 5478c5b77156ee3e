"""Submit a plan for review, list and show such plans, approve or refuse them.

  stead plan -o today.plan
  stead review submit today.plan --reason "two more web servers"
  stead review list                        the latest, with their state
  stead review show 12                     the plan, in any --format, and what was done with it
  stead review approve 12                  shows the plan and asks; with --auto-approve, it asks nothing
  stead review refuse 12 --reason "not on a Friday"
  stead apply --reviewed 12                does exactly this plan

The portal of `stead serve` has the same for people. `apply` refuses a plan that is not approved, was approved too long
ago (`site: {review: {valid: 24h}}`), or would be another plan now. With `site: {review: {two_persons: true}}`, nobody
approves a plan that they submitted, and the portal is the only place to approve.

exit status: 0 done; 1 refused; 3 not agreed to
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING

from stead.cli.common import options as shared
from stead.cli.common.applying import NO
from stead.cli.common.console_output import BOLD, GREEN, RED, YELLOW, paint
from stead.plan.render import FORMATS

if TYPE_CHECKING:
    from stead.cli.common.request import Printing
    from stead.cli.common.workspace import Workspace
    from stead.core.effect import Disruption
    from stead.store import Store
    from stead.store.model import Review

_COLOURS = {"approved": GREEN, "ended": GREEN, "refused": RED}
LATEST = 20


def arguments(parser: argparse.ArgumentParser) -> None:
    subparsers = parser.add_subparsers(dest="subcommand", metavar="COMMAND", required=True)
    texts = {
        "submit": "submit a plan file for review",
        "list": "list plans that were submitted, the latest first",
        "show": "show the plan of a review",
        "approve": "approve a plan, so that it may be applied",
        "refuse": "refuse a plan, also one that was approved",
    }
    for word, text in texts.items():
        child = subparsers.add_parser(word, help=text, description=f"{text.capitalize()}.")
        if word == "submit":
            child.add_argument("file", metavar="FILE", help="plan file that `stead plan -o FILE` wrote")
        elif word != "list":
            child.add_argument("review", type=shared.number(1, 10**15), metavar="REVIEW", help="its number")
        if word in ("submit", "approve", "refuse"):
            child.add_argument("--reason", default="", help="why; it stays with the review")
        if word == "approve":
            child.add_argument("--auto-approve", action="store_true", help="do not ask")
            shared.limit(child, None)
        shared.inputs(child)
        shared.output(child, formats=FORMATS if word == "show" else ())


def run(options: argparse.Namespace) -> int:
    workspace, printing = shared.workspace_of(options), shared.printing_of(options)
    if options.subcommand == "submit":
        return submit(workspace, Path(options.file), options.reason)
    if options.subcommand == "list":
        return listed(workspace, printing)
    if options.subcommand == "show":
        return show(workspace, options.review, printing)
    if options.subcommand == "refuse":
        return refuse(workspace, options.review, options.reason)
    asking = not options.auto_approve
    return approve(workspace, options.review, options.reason, printing, shared.limit_of(options), asking=asking)


def submit(workspace: Workspace, file: Path, reason: str) -> int:
    from stead.cli.common.reviews import here
    from stead.cli.common.workspace import open_state
    from stead.plan.file import load
    from stead.run import reviewing
    from stead.store.sealing import signing_key

    number = reviewing.submit(open_state(workspace), load(file, signing_key()), here(reason))
    print(f"Review {number}. `stead apply --reviewed {number}` does exactly this plan once it is approved.")
    return 0


def listed(workspace: Workspace, printing: Printing) -> int:
    from stead.cli.common.workspace import open_state

    store = open_state(workspace)
    found = store.reviews(LATEST)
    if printing.json:
        print(json.dumps({"reviews": [described(one, store) for one in found]}, indent=1))
        return 0
    print("\n".join(line(one, store) for one in found) or "No plan was submitted yet.")
    return 0


def described(review: Review, store: Store) -> dict[str, object]:
    from stead.run.reviewing import is_outdated
    from stead.store.model import moment

    events = [{**one._asdict(), "at": moment(one.at)} for one in review.events]
    return {
        "id": review.id,
        "state": review.state,
        "plan": review.plan,
        "steps": review.steps,
        "checksum": review.checksum,
        "outdated": is_outdated(store, review),
        "events": events,
    }


def line(review: Review, store: Store) -> str:
    from stead.run.reviewing import OPEN, is_outdated
    from stead.store.model import ReviewState, moment

    state = paint(review.state, _COLOURS.get(review.state, YELLOW), BOLD)
    old = " (out of date)" if review.state in OPEN and is_outdated(store, review) else ""
    sent = review.submitted
    why = f"  {sent.reason}" if sent.reason else ""
    how = f" ({review.events[-1].reason})" if review.state is ReviewState.ENDED else ""
    return f"{review.id:>5}  {moment(sent.at)}  {state}{how}{old}  {review.steps:,} steps, by {sent.who}{why}"


def show(workspace: Workspace, number: int, printing: Printing) -> int:
    from stead.cli.common import planning
    from stead.cli.common.workspace import open_state
    from stead.run import reviewing

    store = open_state(workspace)
    review = reviewing.known(store, number)
    plan = reviewing.opened(store, review)
    planning.show(plan, printing, ())
    if printing.form == "text":
        print("\n" + told(review))
    return 0


def told(review: Review) -> str:
    from stead.store.model import ReviewState, moment

    words = {ReviewState.WAITING: "submitted", ReviewState.ASKED: "asked to be applied"}
    lines = (
        f"  {moment(one.at)}  {words.get(one.state, one.state)} by {one.who}, {one.source}"
        f"{f': {one.reason}' if one.reason else ''}"
        for one in review.events
    )
    return "\n".join([f"Review {review.id}, checksum {review.checksum[:16]}", *lines])


def refuse(workspace: Workspace, number: int, reason: str) -> int:
    from stead.cli.common.reviews import here
    from stead.cli.common.workspace import open_state
    from stead.run import reviewing

    reviewing.turn_down(open_state(workspace), number, here(reason))
    print(f"Review {number} is refused.")
    return 0


def approve(
    workspace: Workspace, number: int, reason: str, printing: Printing, most: Disruption | None, *, asking: bool
) -> int:
    import sys

    from stead.cli.common import planning
    from stead.cli.common.approval import approved
    from stead.cli.common.reviews import here
    from stead.cli.common.workspace import open_state, read_spec
    from stead.core.diagnostics import Refused, has_errors
    from stead.core.effect import Disruption
    from stead.core.value import replace
    from stead.run import reviewing

    desired, found = read_spec(workspace)
    if has_errors(found):
        raise Refused(*found)
    store = open_state(workspace)
    review = reviewing.known(store, number)
    plan = reviewing.opened(store, review)
    planning.show(
        plan, replace(printing, quiet=printing.quiet and not asking), ()
    )  # nobody approves what was not shown
    if asking and not approved(plan, most, "Approve this plan?"):
        print("Nothing was approved.", file=sys.stderr)
        return NO
    rules, by = desired.site.review, here(reason, review.checksum)
    reviewing.approve(store, number, by, rules, loses=asking or most == Disruption.DATA_LOSS)
    print(f"Review {number} is approved.", file=sys.stderr if printing.json else sys.stdout)
    return 0
