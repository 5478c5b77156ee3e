"""The plan: steps in order, each with its why, and digests of what it was made from. A value that is also a file."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from stead.address import Address
from stead.blueprint.model import Reason
from stead.diagnostics import Place
from stead.kind import Action, Disruption
from stead.named import NamedTuple
from stead.observed import NOBODY_SILENT, Silence
from stead.value import field, value
from stead.want import Want

NOT_NEEDED = "not-needed-here"  # of a step that only clears a host of what goes on elsewhere


class FieldChange(NamedTuple):
    """One field that differs. `drift` when the host differs from what was applied, not the spec from it. Where both
    do, `was` is what was applied.
    """

    field: str  # "memory", "nics.0.addresses"
    old: Any
    new: Any
    drift: bool = False
    words: str = ""  # the field, in the user's words
    was: Any = None

    @property
    def name(self) -> str:
        return self.words or self.field


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


WAITS = "waits"  # the code of a note: something is to be done, and cannot be before a host answers or is dead


class Note(NamedTuple):
    """Something the reader of a plan should know that is no step: drift that is ignored, a host that is silent."""

    code: str
    text: str
    address: str = ""
    host: str = ""


@value
class Made:
    """Digests of the inputs. Apply refuses when one of them has changed."""

    spec: str
    recorded: int  # the store's serial
    observed: str
    stead: str  # the version that planned


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
    silence: Silence = NOBODY_SILENT
    digest: str = ""  # of all the above

    @property
    def empty(self) -> bool:
        nothing = not self.steps and not self.renames and not self.keeps and not self.new_outputs
        return nothing and not self.silence.dead and not self.silence.back

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


class _Step(Protocol):
    @property
    def action(self) -> Action: ...
    @property
    def reasons(self) -> tuple[Reason, ...]: ...


def clears(step: _Step) -> bool:
    """Whether the host is only cleared of what goes on elsewhere: nothing of the user's is destroyed."""
    return step.action is Action.DESTROY and any(reason.code == NOT_NEEDED for reason in step.reasons)
