"""Plans that wait for somebody's approval: submitted, approved or refused, and then applied as they were approved.

An approval is of a file, by its checksum. It lets `apply` begin, and no more: `apply` plans again, and does that plan
only if it is the approved one to the letter.
"""

from __future__ import annotations

from typing import NoReturn

from stead.core.blake2 import blake2b
from stead.core.diagnostics import Code, Refused
from stead.core.effect import Disruption
from stead.language.desired.review import ReviewSettings
from stead.plan import file as plans
from stead.plan.model import Plan
from stead.store import Store
from stead.store.codes import UNKNOWN_REVIEW, refuse
from stead.store.model import Review, ReviewEvent, ReviewState

NOT_APPROVED = Code("STEAD-A008", "the plan is not approved")
OWN_PLAN = Code("STEAD-A009", "another person must approve this plan")
TOO_OLD = Code("STEAD-A010", "the approval is too old")
CHANGED = Code("STEAD-A011", "the plan is not the one that was submitted or approved")
NOTHING = Code("STEAD-A012", "there is nothing to review")
LOSES = Code("STEAD-A013", "the plan loses data, and nobody agreed to that")
OUTDATED = Code("STEAD-A014", "the plan for review is out of date")

OPEN = frozenset({ReviewState.WAITING, ReviewState.APPROVED, ReviewState.ASKED})
MAY_BEGIN = frozenset({ReviewState.APPROVED, ReviewState.ASKED, ReviewState.APPLYING})


def submit(store: Store, plan: Plan, by: ReviewEvent) -> int:
    """Returns the number of the review."""
    if plan.empty:
        raise Refused(NOTHING.at(None, "The plan changes nothing. Nothing was submitted."))
    content = plans.to_bytes(plan)
    checksum = checksum_of(content)
    review = Review(
        id=0,
        plan=plan.digest,
        recorded=plan.made.recorded,
        steps=len(plan.steps),
        checksum=checksum,
        events=(by._replace(state=ReviewState.WAITING, checksum=checksum),),
    )
    return store.submit_review(review, content)


def checksum_of(content: bytes) -> str:
    return blake2b(content, digest_size=32).hexdigest()


def known(store: Store, number: int) -> Review:
    found = store.review(number)
    if found is None:
        refuse(UNKNOWN_REVIEW, f"There is no review {number}. `stead review list` lists them.")
    return found


def opened(store: Store, review: Review) -> Plan:
    """The plan, if it is the one that was submitted."""
    content = store.reviewed_plan(review.id)
    if content is None:
        refuse(UNKNOWN_REVIEW, f"The plan of review {review.id} is no longer kept. Plan again, and submit that plan.")
    if checksum_of(content) != review.checksum:
        _changed(f"The file of review {review.id} was changed in the store after it was submitted.")
    return plans.read(content.splitlines(keepends=True), f"plan of review {review.id}")


def is_outdated(store: Store, review: Review) -> bool:
    """What is recorded has changed since, so `apply` would refuse it. Other changes are found when it is applied."""
    return review.recorded != store.serial()


def approve(store: Store, number: int, by: ReviewEvent, rules: ReviewSettings, *, loses: bool) -> None:
    """`by.checksum` is of the file that was looked at. `loses`: whoever approves agrees that its data is lost."""
    review = known(store, number)
    plan = opened(store, review)
    if by.checksum != review.checksum:
        _changed(f"The plan that you looked at is not the one of review {number}. Look at it again.")
    if rules.two_persons:
        _must_be_another(review.submitted, by)
    if is_outdated(store, review):
        text = f"What is recorded has changed since review {number} was submitted. Plan again, and submit that plan."
        raise Refused(OUTDATED.at(None, text))
    if losing(plan) and not loses:
        lost = ", ".join(losing(plan)[:5])
        raise Refused(LOSES.at(None, f"This plan loses {lost}. To approve it, agree to the loss as well."))
    store.add_review_event(number, by._replace(state=ReviewState.APPROVED), {ReviewState.WAITING})


def losing(plan: Plan) -> list[str]:
    return [one.loses or str(one.address) for one in plan.steps if one.disturbs is Disruption.DATA_LOSS]


def turn_down(store: Store, number: int, by: ReviewEvent) -> None:
    """Also what was approved, as long as its apply has not begun; and also one's own."""
    known(store, number)
    store.add_review_event(number, by._replace(state=ReviewState.REFUSED), OPEN)


def ask(store: Store, number: int, by: ReviewEvent, rules: ReviewSettings) -> None:
    """For `stead serve` to apply it next."""
    approved_plan(store, number, rules)
    store.add_review_event(number, by._replace(state=ReviewState.ASKED), {ReviewState.APPROVED})


def approved_plan(store: Store, number: int, rules: ReviewSettings) -> Plan:
    """What may be applied now, by the rules of now."""
    review = known(store, number)
    approval = review.approval
    if approval is None or review.state not in MAY_BEGIN:
        last = review.events[-1]
        text = f"Review {number} is {last.state}, by {last.who}. Only an approved plan is applied, and only once."
        raise Refused(NOT_APPROVED.at(None, text))
    if rules.two_persons:
        _must_be_another(review.submitted, approval)
    if review.now - approval.at > rules.valid:
        hours = (review.now - approval.at) / 3600
        text = (
            f"Review {number} was approved {hours:.1f} hours ago, and an approval holds for {rules.valid / 3600:.1f}."
        )
        raise Refused(TOO_OLD.at(None, f"{text} Plan again, and submit that plan."))
    if approval.checksum != review.checksum:
        _changed(f"Review {number} was approved with another plan.")
    return opened(store, review)


def begin(store: Store, number: int, by: ReviewEvent) -> None:
    store.add_review_event(number, by._replace(state=ReviewState.APPLYING), MAY_BEGIN)


def end(store: Store, number: int, by: ReviewEvent) -> None:
    store.add_review_event(number, by._replace(state=ReviewState.ENDED), MAY_BEGIN)


def _must_be_another(submitted: ReviewEvent, by: ReviewEvent) -> None:
    if not by.user:
        text = (
            "The site's rule `two_persons` needs to know who approves, and a command line can say any name. "
            "Log in to the portal and approve it there."
        )
        raise Refused(OWN_PLAN.at(None, text))
    if by.user == submitted.user or by.who.casefold() == submitted.who.casefold():
        text = f"{submitted.who} submitted it. By the site's rule `two_persons`, nobody approves a plan of their own."
        raise Refused(OWN_PLAN.at(None, text))


def _changed(text: str) -> NoReturn:
    raise Refused(CHANGED.at(None, f"{text} Nothing was done."))
