"""The parts of a move that hosts carry out, and how they are told of them; which of the ways to move a step takes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

from stead.core.effect import Action, Disruption
from stead.plan.model import Step
from stead.runner import StepAwaits
from stead.runner.wave_files import PartsHeard

# Once it is there: what changes with it.
THEN = {Disruption.REBOOT: Action.REBOOT, Disruption.REBUILD: Action.REBUILD, Disruption.DATA_LOSS: Action.REBUILD}
Outcomes = Mapping[int, str]  # number of a step -> why it was not done; empty where it was
Lane = Sequence[Mapping[str, Any]]  # steps of a host, as it is told them

Tell = Callable[[StepAwaits], None]


class Play(Protocol):
    """Parts of steps, on several hosts at once. With `meanwhile`, which is called until all have ended, those that are
    not begun are not begun any more once the run is to stop.
    """

    def __call__(
        self, name: str, lanes: Mapping[str, Lane], meanwhile: Callable[[], None] | None = None
    ) -> PartsHeard: ...


def is_live(step: Step) -> bool:
    """Whether a hypervisor moves it: it runs."""
    have = step.have.fields() if step.have is not None else {}
    return "hypervisor" in have and have.get("state") != "stopped"


def on_sources(
    steps: Sequence[Step], action: str, spoken: Callable[[Step], dict[str, Any]], **other: Any
) -> dict[str, list[dict[str, Any]]]:
    lanes: dict[str, list[dict[str, Any]]] = {}
    for step in steps:
        lanes.setdefault(step.host, []).append({**spoken(step), "action": action, "after": [], "secrets": [], **other})
    return lanes
