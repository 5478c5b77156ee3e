"""Who asks hosts and carries out steps. Simulated hosts and Ansible are two of the same: nothing above can tell.

A runner decides nothing: it does the steps it is given, on the hosts they name, and tells what became of them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum
from typing import Protocol

from stead.core.address import Address
from stead.core.diagnostics import Code, Diagnostic
from stead.core.named import NamedTuple
from stead.core.observed import Host, KeptDocument, Observed, StoreOrigin
from stead.core.recorded import NOTHING, Recorded
from stead.core.value import field, value
from stead.plan.model import Keep, PlannedHook, Step
from stead.recovery.rebuild import Memory

__all__ = [
    "UNREADY",
    "Event",
    "HostSilent",
    "Runner",
    "StepAwaits",
    "StepResult",
    "StepStatus",
    "StepsBegan",
    "StepsEnded",
    "Wave",
]


UNREADY = Code("STEAD-A002", "a guest was not ready in time")


class StepStatus(StrEnum):
    DONE = "done"
    FAILED = "failed"
    UNKNOWN = "unknown"  # it began, and the host went silent before it said how it ended
    SKIPPED = "skipped"  # announced, and then not begun: one that it waits for had failed


class StepResult(NamedTuple):
    step: int  # its number in the plan
    state: StepStatus
    error: str = ""
    ready: str = ""  # of a guest that was waited for: what for, and how long


class StepsBegan(NamedTuple):
    """These steps are about to be done. The runner touches nothing of them before the call with this has returned."""

    steps: Sequence[int]


class StepsEnded(NamedTuple):
    results: Sequence[StepResult]


class StepAwaits(NamedTuple):
    """A step is done, and what it made is not ready yet."""

    step: int
    seconds: float
    what: str  # that is waited for
    seen: str  # last


class HostSilent(NamedTuple):
    """A host does not answer. Its steps of this wave that did not begin will not; others go on."""

    host: str
    why: str


Event = StepsBegan | StepAwaits | StepsEnded | HostSilent


@value
class Wave:
    """Steps that no edge between hosts separates. On one host they are done in the order of their numbers."""

    number: int
    steps: Sequence[Step]
    # step -> id -> plain text of {"$secret": id}: to each its own
    secrets: Mapping[int, Mapping[str, str]] = field(default_factory=dict, repr=False)
    site_key: str = field(default="", repr=False)  # what secrets are sealed with, for controllers to keep
    hooks: Mapping[int, Sequence[PlannedHook]] = field(default_factory=dict)  # step -> playbooks before or after it
    origin: StoreOrigin | None = None  # which store this is from, for hosts to remember; and to refuse another site's
    keeps: Mapping[Address, Keep] = field(default_factory=dict)  # what of a resource is beside its wants, likewise
    pause: int = 0  # seconds to wait before anything of it begins; simulated hosts take them for passed
    # host -> project of the API -> what the host keeps of it from now on; None: nothing
    documents: Mapping[str, Mapping[str, KeptDocument | None]] = field(default_factory=dict, repr=False)
    informs: tuple[str, ...] = ()  # hosts that are told what follows, with steps or without
    follows: Mapping[int, Sequence[Step]] = field(default_factory=dict)
    """Migration -> steps of later waves that come after it: their hosts are told what is to move."""
    dead: tuple[str, ...] = ()  # hosts that a person called dead: those that live tell them, should they boot again
    parallel: int = 0  # hosts at once; 0 leaves it to the runner
    stopping: Callable[[], bool] = field(default=lambda: False, repr=False)  # once true, nothing new begins


class Runner(Protocol):
    def observe(self, hosts: Mapping[str, Host], recorded: Recorded = NOTHING) -> Observed:
        """What these hosts report now. One that does not answer comes back as down, with why.

        Of a want that is `recorded` there is no second one in memory.
        """

    def recall(self, hosts: Mapping[str, Host]) -> tuple[Observed, Mapping[str, Memory]]:
        """The same, and all that they remember, for a store to be rebuilt from."""

    def refusals(self, steps: Sequence[Step]) -> Sequence[Diagnostic]:
        """Why it cannot carry out these steps from where it runs: then none of them is begun."""

    def run(self, wave: Wave, on_event: Callable[[Event], None]) -> None:
        """Every step either ends, or never begins (its host is silent, the run is being stopped), or stays unknown.

        A step is not begun when one of this wave that it names in `after` has failed. Raises nothing for what happens
        on hosts.
        """
