"""What every store must do for plans that are reviewed."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from stead.core.address import Address
from stead.core.diagnostics import Refused
from stead.store import Store
from stead.store.model import (
    Began,
    Ended,
    LockRequest,
    Outcome,
    Review,
    ReviewEvent,
    ReviewState,
    Start,
    StepState,
    Writes,
)
from stead.store.reviews import KEPT

OpenStore = Callable[..., Store]
FILE = b"a plan\n" * 100
SENT = ReviewEvent(ReviewState.WAITING, "ada", source="ci-7", reason="more web")
APPROVED = ReviewEvent(ReviewState.APPROVED, "lena", "u-1", "192.0.2.7", "fine", "sum")


def sent(store: Store) -> int:
    return store.submit_review(Review(id=0, plan="digest", recorded=7, steps=3, checksum="sum", events=(SENT,)), FILE)


def refused(store: Store, number: int, event: ReviewEvent, *after: ReviewState) -> list[str]:
    with pytest.raises(Refused) as refusal:
        store.add_review_event(number, event, set(after))
    return [one.code for one in refusal.value.diagnostics]


def test_what_was_submitted_is_read_back_with_all_that_was_done(opened: OpenStore) -> None:
    store = opened()
    number = sent(store)
    store.add_review_event(number, APPROVED, {ReviewState.WAITING})
    found = opened().review(number)
    assert found is not None
    assert (found.plan, found.recorded, found.steps, found.checksum) == ("digest", 7, 3, "sum")
    assert [one._replace(at=0.0) for one in found.events] == [SENT, APPROVED]
    assert 0 < found.events[0].at <= found.events[1].at <= found.now
    assert opened().reviewed_plan(number) == FILE
    assert [one.id for one in store.reviews()] == [number]


def test_of_two_who_decide_the_second_is_refused(opened: OpenStore) -> None:
    first, second = opened(), opened()
    number = sent(first)
    first.add_review_event(number, APPROVED, {ReviewState.WAITING})
    assert refused(second, number, APPROVED._replace(state=ReviewState.REFUSED), ReviewState.WAITING) == ["STEAD-S040"]
    assert refused(second, number + 1, APPROVED, ReviewState.WAITING) == ["STEAD-S039"]
    found = second.review(number)
    assert found is not None
    assert found.state is ReviewState.APPROVED


def test_reviews_make_no_plan_stale(store: Store) -> None:
    before = store.serial()
    store.add_review_event(sent(store), APPROVED, {ReviewState.WAITING})
    assert store.serial() == before


def test_old_files_go_and_what_was_decided_stays(store: Store) -> None:
    first = sent(store)
    for _ in range(KEPT):
        sent(store)
    assert store.reviewed_plan(first) is None
    assert store.reviewed_plan(first + 1) == FILE
    found = store.review(first)
    assert found is not None
    assert found.submitted.who == "ada"


def test_encrypting_a_store_seals_reviews_too(opened: OpenStore) -> None:
    store = opened()
    number = sent(store)
    store.add_review_event(number, APPROVED, {ReviewState.WAITING})
    with store.lock(LockRequest("ada", "encrypt")) as hold:
        store.encrypt(hold, "cd" * 32)
    again = opened(key="cd" * 32)
    found = again.review(number)
    assert found is not None
    assert found.state is ReviewState.APPROVED
    assert again.reviewed_plan(number) == FILE
    number = sent(again)
    assert again.reviewed_plan(number) == FILE


def test_the_pulse_is_another_one_whenever_a_run_or_a_review_goes_on(opened: OpenStore) -> None:
    """Pages that are open look at it once a second, by a connection of their own."""
    store, looking = opened(), opened()
    web = Address("acme", "instances", "web")
    seen = [looking.pulse()]
    number = sent(store)
    seen.append(looking.pulse())
    store.add_review_event(number, APPROVED, {ReviewState.WAITING})
    seen.append(looking.pulse())
    with store.lock(LockRequest("ada", "apply")) as hold:
        run = store.start(hold, Start("ada", "", "digest", 1), Writes())
        seen.append(looking.pulse())
        store.write(hold, run, Writes(began=[Began(0, web, "compute-1", "create")]))
        seen.append(looking.pulse())
        store.write(hold, run, Writes(ended=[Ended(0, StepState.DONE)]))
        seen.append(looking.pulse())
        store.finish(hold, run, Outcome.DONE, Writes())
    seen.append(looking.pulse())
    assert len(set(seen)) == len(seen)
    assert looking.pulse() == seen[-1]
