"""Applies a plan that was approved, for the command line and for `stead serve`: load everything, compare, carry out."""

from __future__ import annotations

import logging
from contextlib import closing
from typing import TYPE_CHECKING

from stead.cli.common.workspace import open_state
from stead.core.diagnostics import Refused
from stead.core.value import replace

DONE, NOT_ALL = "done", "not all was done"

if TYPE_CHECKING:
    from stead.cli.common.loading import Loaded
    from stead.cli.common.request import ApplyRequest
    from stead.cli.common.workspace import Workspace
    from stead.store.model import ReviewEvent


def here(reason: str = "", checksum: str = "", *, by: str = "command line") -> ReviewEvent:
    """Of who types, as far as that is known."""
    import socket

    from stead.cli.common.applying import who
    from stead.plan.render.values import safe
    from stead.store.model import ReviewEvent, ReviewState

    source = f"{by} on {safe(socket.gethostname())}"
    return ReviewEvent(ReviewState.WAITING, who(), source=source, reason=safe(reason), checksum=checksum)


def apply_reviewed(asked: ApplyRequest, number: int) -> int:
    """It was approved, so nothing is asked; but what data may be lost is said here again."""
    from stead.cli.common.applying import carry_out
    from stead.cli.common.loading import load
    from stead.cli.common.plan_again import must_be_allowed, same_plan
    from stead.run import reviewing

    loaded = load(asked.workspace)
    plan = reviewing.approved_plan(loaded.store, number, loaded.inputs.desired.site.review)
    if not must_be_allowed(plan, asked.most):
        return 1
    again, secrets = same_plan(plan, loaded, f"The plan of review {number}")
    by = here(asked.reason)
    reviewing.begin(loaded.store, number, by)
    status = carry_out(replace(asked, reason=_reason(asked, loaded, number)), again, loaded, secrets)
    reviewing.end(loaded.store, number, by._replace(reason=DONE if status == 0 else NOT_ALL))
    return status


def apply_for_server(workspace: Workspace, number: int, who: str) -> None:
    """What was asked for in the portal. Where it cannot be done, the review has ended, and says why: only a lock of
    somebody else's is waited for.
    """
    from stead.run import reviewing
    from stead.store.codes import LOCKED

    by = here(by="server")._replace(who=who)
    with closing(open_state(workspace)) as store:
        try:
            told = _carried_out(workspace, number, by)
        except Refused as refusal:
            if any(one.code == LOCKED.id for one in refusal.diagnostics):
                raise
            told = "; ".join(f"{one.detail} ({one.code})" for one in refusal.diagnostics[:5])
        except Exception:
            logging.getLogger("stead.serve").exception("review %s", number)
            told = "internal error: the log of the server has it"
        reviewing.end(store, number, by._replace(reason=told))


def _carried_out(workspace: Workspace, number: int, by: ReviewEvent) -> str:
    """How it ended."""
    from stead.cli.common.acting import remember
    from stead.cli.common.applying import run_options
    from stead.cli.common.loading import load
    from stead.cli.common.plan_again import same_plan
    from stead.cli.common.request import ApplyRequest, Printing
    from stead.run import reviewing
    from stead.run.apply import apply
    from stead.store.model import Outcome

    asked = ApplyRequest(
        workspace=workspace, printing=Printing(quiet=True), auto_approve=True, parallel=0, reason="", most=None
    )
    loaded = load(workspace)
    with closing(loaded.store) as store:
        plan = reviewing.approved_plan(store, number, loaded.inputs.desired.site.review)
        again, secrets = same_plan(plan, loaded, f"The plan of review {number}")
        reviewing.begin(store, number, by)
        settings = run_options(replace(asked, reason=_reason(asked, loaded, number)), again, loaded, secrets)
        made = apply(again, store, loaded.runner, now=again.made, options=replace(settings, who=by.who))
        remember(again, loaded)
    return DONE if made.outcome is Outcome.DONE else NOT_ALL


def _reason(asked: ApplyRequest, loaded: Loaded, number: int) -> str:
    from stead.run.reviewing import known

    approval = known(loaded.store, number).approval
    return asked.reason or f"review {number}, approved by {approval.who if approval is not None else '?'}"
