"""What `plan`, `apply` and `destroy` have in common: from what was asked to a plan, and the plan onto the screen."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

from stead.cli.common.console_output import as_data, colours, complain
from stead.cli.common.loading import Loaded, load
from stead.cli.common.request import PlanningRequest, Printing
from stead.cli.common.workspace import Workspace
from stead.core.diagnostics import Diagnostic, Refused, has_errors
from stead.core.effect import Disruption
from stead.core.value import value

if TYPE_CHECKING:
    from stead.blueprint.model import Blueprint
    from stead.cli.common.strangers import Blind
    from stead.diff import Diff
    from stead.plan.model import Plan
    from stead.plan.render import Style

NO_FILES: Mapping[str, str] = MappingProxyType({})
NARROWEST, WIDEST = 60, 140  # columns in which a plan reads well


@value
class Ready:
    """A plan with what it came from."""

    workspace: Workspace
    loaded: Loaded
    plan: Plan
    blueprint: Blueprint
    diff: Diff
    warnings: Sequence[Diagnostic]


def make(workspace: Workspace, request: PlanningRequest) -> Ready:
    """Refuses, with every mistake that was found, where there can be no plan."""
    from stead.cli.common.bounded import while_planned
    from stead.cli.common.selection import wishes
    from stead.plan.planner import make_plan

    loaded = load(workspace)
    with while_planned(bool(loaded.inputs.desired.owned)):
        planned, found = make_plan(loaded.inputs, wishes(request, loaded.inputs))
    found = [*loaded.found, *found]
    if planned.plan is None or planned.blueprint is None or planned.diff is None or has_errors(found):
        raise Refused(*found)
    return Ready(
        workspace=workspace,
        loaded=loaded,
        plan=planned.plan,
        blueprint=planned.blueprint,
        diff=planned.diff,
        warnings=found,
    )


def make_blind(workspace: Workspace, request: PlanningRequest, view: Path) -> tuple[Plan, Sequence[Diagnostic], Blind]:
    """The plan of a change that nobody has read yet; see `bounded`."""
    from stead.cli.common.selection import wishes
    from stead.cli.common.strangers import read_blind
    from stead.plan.planner import make_plan

    blind = read_blind(workspace, view)
    if has_errors(blind.found):
        raise Refused(*blind.found)
    planned, more = make_plan(blind.inputs, wishes(request, blind.inputs))
    found = [*blind.found, *more]
    if planned.plan is None or has_errors(found):
        raise Refused(*found)
    return planned.plan, found, blind


def too_much(plan: Plan, most: Disruption | None) -> list[Diagnostic]:
    from stead.plan.build import too_disruptive

    return too_disruptive(plan, most) if most else []


def show(
    plan: Plan,
    printing: Printing,
    found: Sequence[Diagnostic],
    *,
    files: Mapping[str, str] = NO_FILES,
    beside: Sequence[str] = (),
) -> None:
    """The plan to stdout, in the format that was asked for; diagnostics to stderr, or into the JSON. `files` are told
    where projects' people own some of them, and what changed `beside` the spec where something did.
    """
    owned = any(files.values())
    form = printing.form
    if printing.json:
        from stead.plan.render.data import to_data

        data = to_data(plan, verbose=printing.verbose) | {"diagnostics": [as_data(one) for one in found]}
        print(json.dumps(data | ({"files": dict(files)} if owned else {}), indent=1, ensure_ascii=False))
        return
    if not printing.quiet or form != "text":
        from stead.plan.render import render

        sys.stdout.write(render(plan, form, style(printing)))
        if owned and form in ("text", "markdown"):
            sys.stdout.write(whose(files))
        if beside and form in ("text", "markdown"):
            sys.stdout.write(unshown(beside))
        sys.stdout.flush()
    complain(found)


def unshown(names: Sequence[str]) -> str:
    """What a change has beside all that the plan of it says."""
    from stead.plan.render.values import safe

    return "\nAlso changed, and not in this plan:\n" + "".join(f"- {safe(name)}\n" for name in names)


def whose(files: Mapping[str, str]) -> str:
    """Which files are of which project's people; the others are the site's."""
    from stead.plan.render.values import safe

    owners: dict[str, list[str]] = {}
    for file, owner in sorted(files.items()):
        owners.setdefault(f"project {owner}" if owner else "the site", []).append(safe(file))
    return "\nOwners of the files:\n" + "".join(f"- {name}: {', '.join(some)}\n" for name, some in owners.items())


def style(printing: Printing) -> Style:
    from stead.plan.render import Style
    from stead.plan.render.paint import ansi, plain

    paint = ansi if colours(sys.stdout) else plain
    return Style(verbose=printing.verbose, width=width(), paint=paint, title=printing.title)


def width() -> int:
    """Of the terminal; a file is as wide as reads well, whoever writes it."""
    if not sys.stdout.isatty():
        return 110
    try:
        columns = os.get_terminal_size(sys.stdout.fileno()).columns
    except OSError:
        return 110
    return max(NARROWEST, min(columns, WIDEST))
