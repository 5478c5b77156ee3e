"""Plans that wait for somebody's approval: shown as `stead plan --format html` shows them, decided, and applied."""

from __future__ import annotations

from contextlib import closing
from typing import Any

from anyio import to_thread
from starlette.responses import HTMLResponse, RedirectResponse, Response

from stead.plan.render.html import to_body
from stead.run import reviewing
from stead.serve.faults import bad, not_found
from stead.serve.portal.pages import BASE, page, page_with_plan, part
from stead.serve.portal.visits import PortalRoute, Visit
from stead.serve.review.service import WHO_MAY, number_of
from stead.store.model import ReviewState, RunInfo

PLANS = "/review/v1/plans"
DATA_LOSS = "data-loss"  # to be typed
RUNS = 20  # of the latest, among which that of a review is looked for
MOVING = frozenset({ReviewState.WAITING, ReviewState.APPROVED, ReviewState.ASKED, ReviewState.APPLYING})


async def list_reviews(visit: Visit) -> Response:
    values: dict[str, Any] = {"reviews": (await visit.ask("GET", PLANS))["reviews"]}
    if visit.is_part:
        return HTMLResponse(part(visit, "_reviews.html", **values))
    return page(visit, "reviews.html", **values)


async def show_review(visit: Visit) -> Response:
    number = number_of(visit.path["id"])
    review = (await visit.ask("GET", f"{PLANS}/{number}"))["review"]
    run = await to_thread.run_sync(_run_of, visit, number)
    values: dict[str, Any] = {"review": review, "run": run, "live": review["state"] in MOVING}
    stamp = f"{review['state']}-{review['outdated']}-{f'{run.outcome}-{run.done}' if run is not None else ''}"
    if visit.is_part:
        if visit.said("stamp") == stamp:
            return Response(status_code=204)
        return HTMLResponse(part(visit, "_review.html", stamp=stamp, **values))
    plan, losing = await to_thread.run_sync(_plan, visit, number)
    return page_with_plan(visit, "review.html", stamp=stamp, plan=plan, losing=losing, word=DATA_LOSS, **values)


def _plan(visit: Visit, number: int) -> tuple[str, list[str]]:
    """As HTML, in which all that people wrote is escaped; and what data is lost by it."""
    with closing(visit.cloud.means.open_store()) as store:
        plan = reviewing.opened(store, reviewing.known(store, number))
    return to_body(plan), reviewing.losing(plan)


def _run_of(visit: Visit, number: int) -> RunInfo | None:
    """The run that carries it out, or has done so."""
    with closing(visit.cloud.means.open_store()) as store:
        review = reviewing.known(store, number)
        began = next((one.at for one in review.events if one.state is ReviewState.APPLYING), None)
        runs = store.runs(RUNS) if began is not None else ()
    return next((one for one in runs if one.plan == review.plan and one.started >= (began or 0)), None)


async def decide(visit: Visit) -> Response:
    number, action = number_of(visit.path["id"]), visit.path["action"]
    if action not in ("approve", "refuse", "apply"):
        raise not_found("Page")
    asked: dict[str, Any] = {"reason": visit.said("reason")}
    if action == "approve":
        if visit.said("typed") not in ("", DATA_LOSS):
            raise bad(f"To agree to the loss, type {DATA_LOSS}. Nothing was approved.")
        asked |= {"checksum": visit.said("checksum"), "data_loss": visit.said("typed") == DATA_LOSS}
    await visit.ask("POST", f"{PLANS}/{number}/{action}", asked)
    return RedirectResponse(f"{BASE}/reviews/{number}", 303)


ROUTES = (
    PortalRoute("GET", "/reviews", WHO_MAY, list_reviews),
    PortalRoute("GET", "/reviews/{id}", WHO_MAY, show_review),
    PortalRoute("POST", "/reviews/{id}/{action}", WHO_MAY, decide),
)
