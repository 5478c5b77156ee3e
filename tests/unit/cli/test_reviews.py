"""An approval is of one plan, for a while, by somebody who may: whatever is done to file, store or clock."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from tests.unit.cli.test_forged_plans import another_wish, forge, hosts

from stead.cli import main
from stead.core.diagnostics import Refused
from stead.language.desired.review import ReviewSettings
from stead.plan.file import load
from stead.run import reviewing
from stead.store import Store, open_store
from stead.store.model import ReviewEvent, ReviewState

TWO = ReviewSettings(two_persons=True)
LENA = ReviewEvent(ReviewState.APPROVED, "lena", "u-lena", "192.0.2.7")


@pytest.fixture
def more(demo: Path) -> Path:
    """The demo, with one more instance in its spec, and a plan for it."""
    spec = demo / "stead.yml"
    spec.write_text(spec.read_text().replace("count: 3", "count: 4"))
    assert main(["plan", "-q", "-o", "more.plan"]) == 0
    return demo


def opened(site: Path) -> Store:
    return open_store("", directory=site / ".stead")


def approved(plan: str = "more.plan") -> None:
    assert main(["review", "submit", plan]) == 0
    assert main(["review", "approve", "1", "-q", "--auto-approve"]) == 0


def in_database(site: Path, *statements: str) -> None:
    with closing(sqlite3.connect(site / ".stead" / "state.db")) as db, db:
        for one in statements:
            db.execute(one)


def apply_is_refused(site: Path, capsys: pytest.CaptureFixture[str]) -> str:
    """By which code; and nothing was done."""
    before = hosts(site)
    capsys.readouterr()
    assert main(["apply", "--reviewed", "1", "-q", "--max-disruption", "data-loss"]) == 1
    assert hosts(site) == before
    return str(re.findall(r"STEAD-[A-Z]\d{3}", capsys.readouterr().err)[0])


def test_what_was_approved_is_done_once(more: Path, capsys: pytest.CaptureFixture[str]) -> None:
    approved()
    assert main(["apply", "--reviewed", "1", "-q"]) == 0
    assert apply_is_refused(more, capsys) == "STEAD-A008"
    with closing(opened(more)) as store:
        found = reviewing.known(store, 1)
        assert [one.state for one in found.events] == ["waiting", "approved", "applying", "ended"]
        assert next(iter(store.runs(1))).plan == found.plan


def test_another_plan_in_the_place_of_the_approved_one(more: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """By somebody who can write to the store, and knows that a plan to destroy is a plan of these inputs as well."""
    approved()
    assert main(["plan", "-q", "--destroy", "-o", "all.plan"]) == 0
    assert main(["review", "submit", "all.plan"]) == 0
    in_database(more, "UPDATE reviews SET content = (SELECT content FROM reviews WHERE id = 2) WHERE id = 1")
    assert apply_is_refused(more, capsys) == "STEAD-A011"
    in_database(more, "UPDATE reviews SET about = (SELECT about FROM reviews WHERE id = 2) WHERE id = 1")
    assert apply_is_refused(more, capsys) == "STEAD-A011"


def test_a_key_keeps_approvals_where_they_were_given(
    more: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STEAD_STORE_KEY", "cd" * 32)
    assert main(["state", "encrypt"]) == 0
    assert main(["plan", "-q", "-o", "more.plan"]) == 0
    approved()
    assert main(["review", "submit", "more.plan"]) == 0
    in_database(more, "UPDATE review_events SET review = 3 - review WHERE number = 2")
    capsys.readouterr()
    assert main(["apply", "--reviewed", "2", "-q"]) == 1
    assert "STEAD-S007" in capsys.readouterr().err


def test_an_approval_of_long_ago(more: Path, capsys: pytest.CaptureFixture[str]) -> None:
    approved()
    in_database(more, "UPDATE review_events SET at = at - 24 * 3600 - 60")
    assert apply_is_refused(more, capsys) == "STEAD-A010"


def test_a_forged_file_that_was_approved_is_not_done(more: Path, capsys: pytest.CaptureFixture[str]) -> None:
    forge(more / "more.plan", another_wish)
    assert main(["review", "submit", "more.plan"]) == 0
    assert main(["review", "approve", "1", "-q", "--auto-approve", "--max-disruption", "data-loss"]) == 0
    assert apply_is_refused(more, capsys) == "STEAD-A003"


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (lambda one: one._replace(user=""), "STEAD-A009"),
        (lambda one: one._replace(user="u-ada"), "STEAD-A009"),
        (lambda one: one._replace(who="ADA"), "STEAD-A009"),
        (lambda one: one._replace(checksum="0" * 64), "STEAD-A011"),
        (lambda one: one._replace(checksum=""), "STEAD-A011"),
        (lambda one: one, ""),
    ],
)
def test_whose_approval_counts(more: Path, change: Callable[[ReviewEvent], ReviewEvent], code: str) -> None:
    with closing(opened(more)) as store:
        sent = ReviewEvent(ReviewState.WAITING, "ada", "u-ada", "192.0.2.9")
        number = reviewing.submit(store, load(more / "more.plan"), sent)
        by = change(LENA._replace(checksum=reviewing.known(store, number).checksum))
        try:
            reviewing.approve(store, number, by, TWO, loses=False)
            found = ""
        except Refused as refusal:
            found = refusal.diagnostics[0].code
        assert found == code
        assert (reviewing.known(store, number).approval is None) is bool(code)


@pytest.mark.usefixtures("demo")
def test_an_empty_plan_is_not_submitted(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["plan", "-q", "-o", "none.plan"]) == 0
    assert main(["review", "submit", "none.plan"]) == 1
    assert "STEAD-A012" in capsys.readouterr().err


@pytest.mark.usefixtures("more")
def test_what_is_out_of_date_cannot_be_approved(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["review", "submit", "more.plan"]) == 0
    assert main(["apply", "--auto-approve", "-q"]) == 0
    assert main(["review", "approve", "1", "-q", "--auto-approve"]) == 1
    assert "STEAD-A014" in capsys.readouterr().err


def test_a_plan_in_the_store_holds_no_secret(demo: Path) -> None:
    spec = demo / "stead.yml"
    text = spec.read_text().replace("stead: 1", "stead: 1\nvars:\n  token: {type: string, secret: true}", 1)
    text = text.replace("count: 3", "count: 4")
    spec.write_text(text.replace("#cloud-config", "#cloud-config\n            # {{ vars.token }}"))
    words = ["-e", "token=a-very-secret-word"]
    assert main(["plan", "-q", "-o", "secret.plan", *words]) == 0
    assert main(["review", "submit", "secret.plan"]) == 0
    with closing(opened(demo)) as store:
        content = store.reviewed_plan(1)
    assert content is not None
    assert b"a-very-secret-word" not in content
    assert main(["review", "approve", "1", "-q", "--auto-approve", *words]) == 0
    assert main(["apply", "--reviewed", "1", "-q", *words]) == 0
