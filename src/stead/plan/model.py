"""The plan: steps in order, each with its why, and digests of what it was made from. A value that is also a file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from stead.blueprint.model import Reason
from stead.core.address import Address
from stead.core.diagnostics import Place
from stead.core.effect import Action, Disruption
from stead.core.named import NamedTuple
from stead.core.observed import NOBODY_SILENT, HostRecords
from stead.core.value import field, value
from stead.core.want import Want
from stead.diff.model import NOT_NEEDED, WAITS, FieldChange, Note


class Step(NamedTuple):
    """One thing done to one resource on one host."""

    number: int  # its place in `Plan.steps`
    address: Address
    host: str  # "" for what is only recorded
    action: Action
    want: Want | None  # None when nothing is to be left
    have: Want | None  # what was there when the plan was made; None when nothing
    disturbs: Disruption
    reasons: tuple[Reason, ...]
    after: tuple[int, ...] = ()  # numbers of the steps that must be done before
    wave: int = 0
    changes: tuple[FieldChange, ...] = ()
    uuid: str = ""
    to: str = ""  # the other host of a migration
    loses: str = ""  # what data is lost, in words, when it disturbs data-loss
    pause: int = 0  # seconds that apply waits before it, after what came before of the same definition


class PlannedHook(NamedTuple):
    """A playbook of the site's that runs around a step, on the machine that applies."""

    step: int
    playbook: str  # as seen from the spec's directory
    when: str  # "before" or "after"
    digest: str  # of the folder that it lies in: `apply` runs nothing else
    variables: Mapping[str, Any]


class Keep(NamedTuple):
    """What the store shall hold of a resource once its steps are done. `None` wants means it is gone."""

    address: Address
    leases: Mapping[str, str]
    host: str
    after: tuple[Address, ...]
    protect: bool
    reason: str
    place: Place | None

    def told(self) -> dict[str, Any]:
        """For hosts to keep beside the want: with it the store can be rebuilt."""
        return {
            "after": [*map(str, self.after)],
            "host": self.host,
            "leases": dict(self.leases),
            "protect": self.protect,
            "reason": self.reason,
        }


@value
class Made:
    """Digests of the inputs. Apply refuses when one of them has changed."""

    spec: str
    recorded: int  # the store's serial
    observed: str
    stead: str  # the version that planned
    inventory: str = ""  # its files and the variables beside it, of which the plan shows nothing
    asked: str = ""  # what a person added to the spec, as canonical JSON: `apply` plans with it again


@value
class Plan:
    made: Made
    steps: tuple[Step, ...]
    keeps: Mapping[Address, Keep]  # of every resource that has a step, or whose record alone changes
    outputs: Mapping[str, Any]  # after it
    notes: tuple[Note, ...] = ()
    renames: Mapping[Address, Address] = field(default_factory=dict)  # `moved`: from -> to
    unchanged: int = 0
    new_outputs: bool = False  # they are not what was recorded
    silence: HostRecords = NOBODY_SILENT
    hooks: tuple[PlannedHook, ...] = ()
    digest: str = ""  # of all the above

    @property
    def empty(self) -> bool:
        nothing = not self.steps and not self.renames and not self.keeps and not self.new_outputs
        return nothing and not self.silence.says

    @property
    def waiting(self) -> Mapping[str, tuple[str, ...]]:
        """Host -> what waits for it to answer, or for a person's word that it is dead."""
        found: dict[str, dict[str, None]] = {}
        for note in self.notes:
            if note.code == WAITS:
                found.setdefault(note.host, {})[note.address] = None
        return {host: tuple(names) for host, names in sorted(found.items())}

    @property
    def waves(self) -> int:
        return 1 + max((step.wave for step in self.steps), default=-1)


def follows(plan: Plan, steps: Sequence[Step]) -> dict[int, Sequence[Step]]:
    """Migration -> what comes right after it."""
    moving = [step.number for step in steps if step.action is Action.MIGRATE]
    return {one: [step for step in plan.steps if one in step.after] for one in moving}


class _Step(Protocol):
    @property
    def action(self) -> Action: ...
    @property
    def reasons(self) -> tuple[Reason, ...]: ...


def clears(step: _Step) -> bool:
    """Whether the host is only cleared of what goes on elsewhere: nothing of the user's is destroyed."""
    return step.action is Action.DESTROY and any(reason.code == NOT_NEEDED for reason in step.reasons)
