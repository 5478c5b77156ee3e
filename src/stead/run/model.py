"""What an apply is asked, what it tells while it runs, and what became of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from stead.core.named import NamedTuple
from stead.core.observed import KeptDocument
from stead.core.value import field, value
from stead.plan.model import Step
from stead.runner import HostSilent, StepAwaits, StepsBegan, StepsEnded
from stead.store.model import Outcome


class WaveBegan(NamedTuple):
    number: int
    of: int
    steps: int


class Pausing(NamedTuple):
    """Between two batches of a definition."""

    seconds: int


class Stopping(NamedTuple):
    """A person pressed Ctrl-C: the steps that are running end, nothing new begins."""


Progress = WaveBegan | Pausing | Stopping | StepsBegan | StepAwaits | StepsEnded | HostSilent
OnProgress = Callable[[Progress], None]


@value
class Options:
    who: str
    reason: str = ""
    parallel: int = 0  # hosts at once; 0 leaves it to the runner
    # (project, id) -> plain text, for the runner alone
    secrets: Mapping[tuple[str, str], str] = field(default_factory=dict, repr=False)
    site_key: str = field(default="", repr=False)  # for controllers to keep; empty where people have one
    # host -> project of the API -> its document, for the host to keep
    documents: Mapping[str, Mapping[str, KeptDocument | None]] = field(default_factory=dict, repr=False)
    root: Path = Path()  # the spec's directory, from which the playbooks of hooks are named
    lives: float = 60.0  # seconds without a heartbeat until others may take the lock
    proofs: Mapping[str, str] = field(default_factory=dict)  # hosts that were fenced -> by whom, with what, when
    content: bytes = field(default=b"", repr=False)  # the plan as a file, to be kept with the run


class NotDone(NamedTuple):
    """A step that was not done, and why."""

    step: Step
    why: str


@value
class Applied:
    run: int  # 0 when there was nothing to do
    outcome: Outcome
    done: int = 0
    failed: tuple[NotDone, ...] = ()
    skipped: tuple[NotDone, ...] = ()
    unknown: tuple[NotDone, ...] = ()  # begun, and never heard of again
    silent: Mapping[str, str] = field(default_factory=dict)  # host -> why
    ready: tuple[NotDone, ...] = ()  # guests that were waited for: what for, and how long
