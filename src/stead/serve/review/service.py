"""Plans that wait for somebody's approval, for those who run the cloud. No service of OpenStack's."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from typing import Any

from stead.core.diagnostics import Refused
from stead.language.desired.review import ReviewSettings
from stead.plan.render.values import safe
from stead.run import reviewing
from stead.serve.faults import Fault, forbidden
from stead.serve.routes import FLAG, LONG, TEXT, AccessPolicy, ApiReply, ApiRoute, Call, Service, record, true
from stead.store import Store
from stead.store.codes import UNKNOWN_REVIEW
from stead.store.model import Review, ReviewEvent, ReviewState, moment

V = "/review/v1"
ONE = f"{V}/plans/{{id}}"
LATEST = 100
REASON_LONGEST = 500
WHO_MAY = AccessPolicy.REVIEWER  # a plan shows and changes what all projects have


def list_reviews(call: Call) -> ApiReply:
    with _store(call) as store:
        return ApiReply(body={"reviews": [described(one, store) for one in store.reviews(LATEST)]})


def show_review(call: Call) -> ApiReply:
    with _store(call) as store:
        return _answer(store, number_of(call.path["id"]))


def show_file(call: Call) -> ApiReply:
    with _store(call) as store:
        review = reviewing.known(store, number_of(call.path["id"]))
        reviewing.opened(store, review)
        return ApiReply(body=store.reviewed_plan(review.id))


def approve(call: Call) -> ApiReply:
    """Of the file that was looked at, as its checksum says. A credential that a program was given approves nothing."""
    if call.caller.token is None or call.caller.token.is_delegated:
        raise forbidden("Only who has logged in approves a plan, no application credential.")
    by = _by(call)._replace(checksum=call.body["checksum"])
    loses = true(call.body.get("data_loss"))
    return _done(call, lambda store, number: reviewing.approve(store, number, by, _rules(call), loses=loses))


def refuse(call: Call) -> ApiReply:
    return _done(call, lambda store, number: reviewing.turn_down(store, number, _by(call)))


def ask_to_apply(call: Call) -> ApiReply:
    """It is done by who applies what projects ask for, one after the other."""
    answer = _done(call, lambda store, number: reviewing.ask(store, number, _by(call), _rules(call)))
    call.cloud.woken()
    return ApiReply(202, answer.body)


def number_of(text: str) -> int:
    """0, which no review has, for what is no number."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 16 else 0


def described(review: Review, store: Store) -> dict[str, Any]:
    return {
        "id": review.id,
        "state": review.state,
        "plan": review.plan,
        "steps": review.steps,
        "checksum": review.checksum,
        "outdated": review.state in reviewing.OPEN and reviewing.is_outdated(store, review),
        "events": [_event(one) for one in review.events],
    }


def _event(one: ReviewEvent) -> dict[str, Any]:
    return {"state": one.state, "at": moment(one.at), "who": one.who, "source": one.source, "reason": one.reason}


def _answer(store: Store, number: int) -> ApiReply:
    return ApiReply(body={"review": described(reviewing.known(store, number), store)})


def _done(call: Call, change: Callable[[Store, int], None]) -> ApiReply:
    with _store(call) as store:
        number = number_of(call.path["id"])
        change(store, number)
        return _answer(store, number)


@contextmanager
def _store(call: Call) -> Iterator[Store]:
    """A connection of the request's own; and what is refused, as an answer."""
    try:
        with closing(call.cloud.means.open_store()) as store:
            yield store
    except Refused as refusal:
        first = refusal.diagnostics[0]
        raise Fault(404 if first.code == UNKNOWN_REVIEW.id else 409, first.code, first.detail) from refusal


def _by(call: Call) -> ReviewEvent:
    caller = call.caller
    if caller.acting:
        raise forbidden("Whoever acts as somebody else cannot decide about plans.")
    reason = safe(str(call.body.get("reason") or ""))[:REASON_LONGEST]
    return ReviewEvent(ReviewState.WAITING, caller.name, caller.user, call.source, reason)


def _rules(call: Call) -> ReviewSettings:
    return call.world.desired.site.review


_REASON = record(reason=LONG)
SERVICE = Service(
    name="review",
    type="review",
    title="stead",
    endpoint=V,
    routes=(
        ApiRoute("GET", f"{V}/plans", WHO_MAY, list_reviews),
        ApiRoute("GET", ONE, WHO_MAY, show_review),
        ApiRoute("GET", f"{ONE}/file", WHO_MAY, show_file),
        ApiRoute(
            "POST", f"{ONE}/approve", WHO_MAY, approve, record(["checksum"], checksum=TEXT, reason=LONG, data_loss=FLAG)
        ),
        ApiRoute("POST", f"{ONE}/refuse", WHO_MAY, refuse, _REASON),
        ApiRoute("POST", f"{ONE}/apply", WHO_MAY, ask_to_apply, _REASON),
    ),
)
