"""The live display of an apply, with rich. Imported only when a person is looking."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from stead.cli.common.progress_texts import EVERY, awaits_text, done_text, pausing_text, step_text, stopping_text
from stead.plan.model import Plan
from stead.plan.render.values import legible
from stead.run.model import OnProgress, Pausing, Stopping, WaveBegan
from stead.run.model import Progress as Event
from stead.runner import HostSilent, StepAwaits, StepsBegan, StepsEnded, StepStatus


@contextmanager
def rich_progress(plan: Plan) -> Iterator[OnProgress]:
    console = Console(stderr=True, highlight=False)
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=console, transient=True) as bar:
        yield _Display(plan, bar).hear


class _Display:
    def __init__(self, plan: Plan, bar: Progress) -> None:
        self._plan, self._bar = plan, bar
        self._task = bar.add_task("apply", total=len(plan.steps))
        self._running: set[int] = set()

    def hear(self, event: Event) -> None:
        bar = self._bar
        match event:
            case WaveBegan(number, of, _):
                bar.update(self._task, description=f"wave {number} of {of}")
            case Pausing(seconds):
                bar.update(self._task, description=pausing_text(seconds))
            case Stopping():
                bar.console.print(stopping_text(), style="yellow", markup=False)
            case HostSilent(host, why):
                bar.console.print(f"{host} does not answer: {legible(why)}", style="red", markup=False)
            case StepsBegan(steps):
                self._running.update(steps)
                bar.update(self._task, description=self._now())
            case StepAwaits(number):
                bar.update(self._task, description=awaits_text(self._plan.steps[number], event))
            case StepsEnded(results):
                for number, state, error, _ in results:
                    self._ended(number, state, error)
                bar.update(self._task, description=self._now())

    def _ended(self, number: int, state: StepStatus, error: str) -> None:
        step = self._plan.steps[number]
        self._running.discard(number)
        self._bar.advance(self._task)
        if state is StepStatus.DONE and len(self._plan.steps) <= EVERY:
            self._bar.console.print(done_text(step), markup=False)
        elif state in (StepStatus.FAILED, StepStatus.UNKNOWN):
            self._bar.console.print(f"{state}: {step_text(step)}: {legible(error)}", style="red", markup=False)

    def _now(self) -> str:
        """One of the running steps, and how many others."""
        if not self._running:
            return ""
        first = step_text(self._plan.steps[min(self._running)])
        return first if len(self._running) == 1 else f"{first} and {len(self._running) - 1:,} others"
