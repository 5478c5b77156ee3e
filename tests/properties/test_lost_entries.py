"""Whatever entries the ledgers of hosts lose: what is there stays as it is, and is entered again."""

from __future__ import annotations

from collections import Counter
from random import Random

import pytest
from sequences import dice_of
from test_sequences import SEEDS, Bench, bench, specs

from stead.core.effect import Action, Disruption
from stead.core.observed import Observed
from stead.core.value import replace
from stead.kinds import kinds
from stead.plan.model import Plan
from stead.plan.planner import Inputs, make_plan

__all__ = ["bench"]


def without_entries(observed: Observed, dice: Random) -> Observed:
    """As hosts say it whose ledgers lost some entries, or all."""
    part = dice.choice([0.1, 0.5, 1.0])
    haves = {
        address: {host: have._replace(lost=dice.random() < part) for host, have in on.items()}
        for address, on in observed.haves.items()
    }
    return replace(observed, haves=haves)


def plan_of(bench: Bench, observed: Observed) -> Plan:
    wanted = bench.desired()
    assert wanted is not None
    inputs = Inputs(desired=wanted, recorded=bench.store.recorded(), observed=observed, kinds=kinds(), key=b"key")
    plan = make_plan(inputs)[0].plan
    assert plan is not None
    return plan


def told(plan: Plan) -> Counter[tuple[object, ...]]:
    return Counter(
        (str(step.address), step.host, step.action, step.want and step.want.digest, step.disturbs)
        for step in plan.steps
        if step.action is not Action.REGISTER
    )


@pytest.mark.parametrize("seed", SEEDS)
def test_what_a_ledger_lost_changes_nothing_of_what_is_planned_but_is_entered_again(bench: Bench, seed: int) -> None:
    dice = dice_of(seed + 3000)
    for _, plan in specs(bench, dice):
        assert told(plan_of(bench, without_entries(bench.seen(), dice))) == told(plan)  # the spec has changed too
        bench.apply(plan)
        lost = without_entries(bench.seen(), dice)
        mending = plan_of(bench, lost)
        entered = {(step.address, step.host) for step in mending.steps}
        assert entered == {(name, host) for name, on in lost.haves.items() for host, have in on.items() if have.lost}
        assert {(step.action, step.disturbs, step.loses) for step in mending.steps} <= {
            (Action.REGISTER, Disruption.NONE, "")
        }
        assert mending.waves == 1 or not mending.steps
        made = bench.apply(mending)
        assert made.done == len(mending.steps)
        assert plan_of(bench, bench.seen()).empty
