"""How an apply goes on: a live display where a person is looking, plain lines elsewhere, and what it came to.

It shows; it may not touch the run.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from stead.cli.common.console_output import BOLD, GREEN, RED, YELLOW, paint
from stead.cli.common.progress_texts import EVERY, awaits_text, done_text, pausing_text, step_text, stopping_text
from stead.cli.common.request import Printing
from stead.plan.model import Plan, Step
from stead.plan.render.names import count
from stead.plan.render.values import legible, shown
from stead.run.model import Applied, NotDone, OnProgress, Pausing, Progress, Stopping, WaveBegan
from stead.runner import HostSilent, StepAwaits, StepsBegan, StepsEnded, StepStatus
from stead.store.model import Outcome

TOLD = 20  # failures, skipped steps, … that are told one by one
AGAIN = 30  # seconds until a wait is told again of which there is nothing new
STOPPED = 130


@contextmanager
def progress(plan: Plan, printing: Printing) -> Iterator[OnProgress]:
    if printing.quiet or (printing.json and not printing.verbose) or not plan.steps:
        yield _nothing
    elif sys.stderr.isatty() and not printing.json:
        from stead.cli.common.rich_progress import rich_progress

        with rich_progress(plan) as on_event:
            yield on_event
    else:
        yield Lines(plan, verbose=printing.verbose).hear


def _nothing(_event: Progress) -> None:
    pass


class Lines:
    """Plain lines on stderr, for logs."""

    def __init__(self, plan: Plan, *, verbose: bool = False, now: Callable[[], float] = time.monotonic) -> None:
        self._steps = plan.steps
        self._each = verbose or len(plan.steps) <= EVERY
        self._done = 0
        self._seen: dict[int, tuple[str, float]] = {}  # what was told last of a guest that is waited for, and when
        self._now, self._last = now, now()

    def hear(self, event: Progress) -> None:
        match event:
            case WaveBegan(number, of, steps):
                self._say(f"wave {number} of {of}: {count(steps, 'step')}")
            case Pausing(seconds):
                self._say(f"  {pausing_text(seconds)}")
            case Stopping():
                self._say(stopping_text())
            case HostSilent(host, why):
                self._say(f"{host} does not answer: {legible(why)}")
            case StepsEnded(results):
                for number, state, error, _ in results:
                    self._ended(self._steps[number], state, error)
                self._count()
            case StepAwaits(number):
                self._awaits(self._steps[number], event)
            case StepsBegan():
                pass

    def _awaits(self, step: Step, wait: StepAwaits) -> None:
        """Again only when something else is seen, or after a while."""
        seen, last = self._seen.get(step.number, ("", 0.0))
        if wait.seen != seen or wait.seconds - last >= AGAIN:
            self._seen[step.number] = (wait.seen, wait.seconds)
            self._say(f"  {awaits_text(step, wait)}")

    def _ended(self, step: Step, state: StepStatus, error: str) -> None:
        self._done += state is StepStatus.DONE
        if state is StepStatus.DONE and self._each:
            self._say(f"  {done_text(step)}")
        elif state in (StepStatus.FAILED, StepStatus.UNKNOWN):
            self._say(f"  {state}: {step_text(step)}: {legible(error)}")

    def _count(self) -> None:
        if not self._each and self._now() - self._last >= 1:
            self._last = self._now()
            self._say(f"  {self._done:,} of {len(self._steps):,} steps done")

    def _say(self, text: str) -> None:
        print(text, file=sys.stderr, flush=True)


def report(plan: Plan, made: Applied, printing: Printing) -> None:
    if printing.json:
        print(json.dumps(as_json(plan, made), indent=1, ensure_ascii=False))
        return
    for title, told, colour in (
        ("Failed", made.failed, RED),
        ("Result unknown", made.unknown, RED),
        ("Not done", made.skipped, YELLOW),
    ):
        _list(title, told, colour, plan)
    if printing.quiet and made.outcome is Outcome.DONE:
        return
    for step, text in made.ready[:TOLD]:
        print(f"Ready: {step.address} on {step.host}, {text}")
    if len(made.ready) > TOLD:
        print(f"… and {len(made.ready) - TOLD:,} more were ready in time")
    print(_said(plan, made))
    if made.outcome is Outcome.DONE and plan.outputs and not printing.quiet:
        print("\n" + paint("Outputs", BOLD))
        for name, value in plan.outputs.items():
            print(f"    {name} = {shown(value)}")


def _list(title: str, told: tuple[NotDone, ...], colour: str, plan: Plan) -> None:
    """Each with where it stands in the user's file."""
    if not told:
        return
    print(paint(f"{title}:", colour, BOLD, stream=sys.stderr), file=sys.stderr)
    for step, why in told[:TOLD]:
        keep = plan.keeps.get(step.address)
        place = f" ({keep.place})" if keep is not None and keep.place is not None else ""
        print(f"  {step_text(step)}{place}: {legible(why)}", file=sys.stderr)
    if len(told) > TOLD:
        print(f"  … and {len(told) - TOLD:,} more (`stead runs` shows all)", file=sys.stderr)


def _said(plan: Plan, made: Applied) -> str:
    match made.outcome:
        case Outcome.DONE:
            return paint("Applied", GREEN, BOLD) + (
                f": {count(made.done, 'step')} done, run {made.run}." if made.run else ": there was nothing to do."
            )
        case Outcome.STOPPED:
            return (
                f"{paint('Stopped', YELLOW, BOLD)}: {made.done:,} of {count(len(plan.steps), 'step')} done, "
                f"run {made.run}. Run `stead apply` again to continue."
            )
        case _:
            return (
                f"{paint('Apply incomplete', RED, BOLD)}: {made.done:,} of {count(len(plan.steps), 'step')} done, "
                f"{len(made.failed):,} failed, {len(made.skipped):,} not begun, run {made.run}. "
                "Run `stead apply` again to continue."
            )


def as_json(plan: Plan, made: Applied) -> Mapping[str, Any]:
    def told(some: tuple[NotDone, ...]) -> list[dict[str, Any]]:
        return [
            {"address": str(one.step.address), "host": one.step.host, "action": str(one.step.action), "why": one.why}
            for one in some
        ]

    from stead.plan.render.values import opened

    return {
        "run": made.run,
        "plan": plan.digest,
        "outcome": str(made.outcome),
        "steps": len(plan.steps),
        "done": made.done,
        "failed": told(made.failed),
        "unknown": told(made.unknown),
        "skipped": told(made.skipped),
        "silent": dict(made.silent),
        "ready": [{"address": str(one.step.address), "host": one.step.host, "what": one.why} for one in made.ready],
        "outputs": opened(plan.outputs) if made.outcome is Outcome.DONE else {},
    }


def exit_status(made: Applied) -> int:
    match made.outcome:
        case Outcome.DONE:
            return 0
        case Outcome.STOPPED:
            return STOPPED
        case _:
            return 1
