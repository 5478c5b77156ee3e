"""Nothing is taken for consent but the words that were asked for."""

from __future__ import annotations

import io

import pytest
from tests.unit.render.plans import plan, step

from stead.cli.common.approval import approved, refuse_loss
from stead.core.diagnostics import Refused
from stead.core.effect import Action, Disruption
from stead.plan.model import Plan


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def losing(*addresses: str) -> Plan:
    return plan(step(one, Action.DESTROY, disturbs=Disruption.DATA_LOSS, loses=one) for one in addresses)


@pytest.mark.parametrize(
    ("of", "said", "most", "result"),
    [
        (plan([step("a/instances/b")]), "yes", None, True),
        (plan([step("a/instances/b")]), "y", None, False),
        (plan([step("a/instances/b")]), "", None, False),
        (losing("a/volumes/v"), "yes", None, False),
        (losing("a/volumes/v"), "a/volumes/w", None, False),
        (losing("a/volumes/v"), "a/volumes/v", None, True),
        (losing("a/volumes/v"), "yes", Disruption.DATA_LOSS, True),
        (losing("a/volumes/v", "a/volumes/w"), "lose 2", None, True),
        (losing("a/volumes/v", "a/volumes/w"), "lose 1", None, False),
    ],
)
def test_only_the_words_that_were_asked_for_count(
    of: Plan, said: str, most: Disruption | None, result: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", Terminal(f"{said}\n"))
    assert approved(of, most) is result


def test_a_program_is_not_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("yes\n"))
    with pytest.raises(Refused, match="STEAD-C030"):
        approved(plan([step("a/instances/b")]), None)


def test_data_is_lost_only_by_the_word_of_an_option() -> None:
    with pytest.raises(Refused, match="STEAD-C031"):
        refuse_loss(losing("a/volumes/v"), Disruption.REBUILD)
    refuse_loss(losing("a/volumes/v"), Disruption.DATA_LOSS)
    refuse_loss(plan([step("a/instances/b", Action.REBUILD, disturbs=Disruption.REBUILD)]), None)
