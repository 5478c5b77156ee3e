"""What a command was asked, as values: `options` makes them of a command line, and nothing else of it goes further."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stead.core.value import fields_of, value

if TYPE_CHECKING:
    from stead.cli.common.workspace import Workspace
    from stead.core.effect import Disruption


@value
class Printing:
    """How the answer is printed."""

    form: str = "text"  # or "json", or another of the command's
    quiet: bool = False
    verbose: bool = False
    title: str = "Plan"  # of Markdown and HTML

    @property
    def json(self) -> bool:
        return self.form == "json"


@value
class PlanningRequest:
    """What a plan takes and does beyond the spec. A plan keeps it as text, from which the same can be asked again."""

    target: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    label: tuple[str, ...] = ()
    project: tuple[str, ...] = ()
    replace: tuple[str, ...] = ()
    rebuild: tuple[str, ...] = ()
    confirm_dead: tuple[str, ...] = ()
    reboot: tuple[str, ...] = ()
    revert: tuple[str, ...] = ()  # a volume or an instance, and the snapshot that it goes back to
    state: str = ""  # that the targets are given by hand, with who and when
    destroy: bool = False
    refresh_only: bool = False

    @property
    def given(self) -> dict[str, tuple[str, ...] | str | bool]:
        return {name: said for name in fields_of(PlanningRequest) if (said := getattr(self, name))}

    @property
    def text(self) -> str:
        from stead.core.want import canonical

        return canonical(self.given) if self.given else ""


NOTHING_ASKED = PlanningRequest()


@value
class ApplyRequest:
    """How a plan is carried out, once there is one."""

    workspace: Workspace
    printing: Printing
    auto_approve: bool
    parallel: int
    reason: str
    most: Disruption | None
    acting: str = ""  # whose change it is; empty: of somebody who may everything
