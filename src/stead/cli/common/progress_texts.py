"""What an apply says while it goes on: the same words in plain lines and in the live display."""

from __future__ import annotations

from stead.plan.model import Step
from stead.plan.render.values import legible
from stead.plan.render.words import SIGNS
from stead.runner import StepAwaits

EVERY = 200  # steps of a plan up to which each is a line of its own; above, one line for each wave and second


def stopping_text() -> str:
    return "Stopping after the running steps. Press Ctrl-C again to stop at once."


def pausing_text(seconds: int) -> str:
    return f"waiting {seconds:,} s before the next batch"


def step_text(step: Step) -> str:
    where = f" on {step.host}" if step.host else ""
    return f"{step.action} {step.address}{where}{f' to {step.to}' if step.to else ''}"


def awaits_text(step: Step, wait: StepAwaits) -> str:
    seen = f": {legible(wait.seen)}" if wait.seen else ""
    return f"waiting for {step.address} ({wait.what}), {wait.seconds:.0f} s{seen}"


def done_text(step: Step) -> str:
    where = f" on {step.host}" if step.host else ""
    return f"{SIGNS[step.action]:>3} {step.address}{where}{f' → {step.to}' if step.to else ''}"
