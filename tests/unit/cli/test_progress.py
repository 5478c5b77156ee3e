"""How an apply is told, line by line and at its end."""

from __future__ import annotations

import json

import pytest
from tests.unit.render.plans import plan, step

from stead.cli.common.progress import Lines, exit_status, report
from stead.cli.common.progress_texts import EVERY
from stead.cli.common.request import Printing
from stead.cli.common.rich_progress import rich_progress
from stead.core.effect import Action
from stead.plan.model import Plan
from stead.run.model import Applied, NotDone, Stopping, WaveBegan
from stead.runner import HostSilent, StepResult, StepsBegan, StepsEnded, StepStatus
from stead.store.model import Outcome


def two() -> Plan:
    return plan([step("a/instances/x"), step("a/instances/y", Action.MIGRATE, to="compute-2")], outputs={"o": "v"})


def test_every_step_is_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    lines = Lines(two())
    lines.hear(WaveBegan(1, 1, 2))
    lines.hear(StepsBegan([0, 1]))
    lines.hear(StepsEnded([StepResult(0, StepStatus.DONE), StepResult(1, StepStatus.FAILED, "no space")]))
    lines.hear(HostSilent("compute-9", "no route"))
    lines.hear(Stopping())
    assert capsys.readouterr().err.splitlines() == [
        "wave 1 of 1: 2 steps",
        "    + a/instances/x on compute-1",
        "  failed: migrate a/instances/y on compute-1 to compute-2: no space",
        "compute-9 does not answer: no route",
        "Stopping after the running steps. Press Ctrl-C again to stop at once.",
    ]


def test_a_large_apply_is_counted_and_every_failure_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    clock = iter(range(10))
    many = plan([step(f"a/instances/x[{n}]") for n in range(EVERY + 1)])
    lines = Lines(many, now=lambda: float(next(clock)))
    lines.hear(StepsEnded([StepResult(n, StepStatus.DONE) for n in range(EVERY)]))
    lines.hear(StepsEnded([StepResult(EVERY, StepStatus.FAILED, "dead")]))
    assert capsys.readouterr().err.splitlines() == [
        "  200 of 201 steps done",
        "  failed: create a/instances/x[200] on compute-1: dead",
        "  200 of 201 steps done",
    ]


@pytest.mark.parametrize(
    ("outcome", "status", "said"),
    [
        (Outcome.DONE, 0, "Applied: 2 steps done, run 4."),
        (Outcome.FAILED, 1, "Run `stead apply` again to continue"),
        (Outcome.STOPPED, 130, "Run `stead apply` again to continue"),
    ],
)
def test_the_end_is_told_with_how_to_go_on(
    outcome: Outcome, status: int, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    made = Applied(run=4, outcome=outcome, done=2)
    report(two(), made, Printing())
    assert said in capsys.readouterr().out
    assert exit_status(made) == status


def test_what_failed_is_told_with_its_place(capsys: pytest.CaptureFixture[str]) -> None:
    made = Applied(run=4, outcome=Outcome.FAILED, done=1, failed=(NotDone(two().steps[0], "no space"),))
    report(two(), made, Printing())
    assert "create a/instances/x on compute-1 (stead.yml:3:5): no space" in capsys.readouterr().err


def test_json_tells_all(capsys: pytest.CaptureFixture[str]) -> None:
    made = Applied(
        run=4, outcome=Outcome.FAILED, done=1, skipped=(NotDone(two().steps[1], "x failed"),), silent={"h": "w"}
    )
    report(two(), made, Printing(form="json"))
    told = json.loads(capsys.readouterr().out)
    assert told["outcome"] == "failed"
    assert told["skipped"] == [
        {"address": "a/instances/y", "host": "compute-1", "action": "migrate", "why": "x failed"}
    ]
    assert told["silent"] == {"h": "w"}


def test_the_live_display_tells_what_lines_tell(capsys: pytest.CaptureFixture[str]) -> None:
    with rich_progress(two()) as hear:
        hear(WaveBegan(1, 1, 2))
        hear(StepsBegan([0, 1]))
        hear(StepsEnded([StepResult(0, StepStatus.DONE), StepResult(1, StepStatus.FAILED, "no space")]))
        hear(HostSilent("compute-9", "no route"))
        hear(Stopping())
    told = capsys.readouterr().err
    for text in ("+ a/instances/x on compute-1", "no space", "compute-9 does not answer", "Ctrl-C again"):
        assert text in told
