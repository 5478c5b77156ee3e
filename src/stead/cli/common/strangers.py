"""The inputs of a plan of a change that nobody has read: by a view of the site, and by nothing that opens anything."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from stead.core.diagnostics import Code, Diagnostic, Severity
from stead.core.value import value

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from stead.cli.common.workspace import Workspace
    from stead.language.desired import Desired
    from stead.plan.planner import Inputs

SHOWN = 8  # files, in the message

UNSHOWN = Code("STEAD-G011", "the change has files that the plan does not show", Severity.WARNING)


@value
class Blind:
    inputs: Inputs
    found: list[Diagnostic]
    at: float  # when the hosts were asked, in seconds since 1970
    unshown: tuple[str, ...]  # files of the change that decide what runs on the controller


def read_blind(workspace: Workspace, path: Path) -> Blind:
    """No inventory, no store, no key, no password, and nobody is asked."""
    from stead.blueprint.placement.plugins import load_plugins
    from stead.cli.common.hooks import digests, unfit
    from stead.cli.common.workspace import UPLOADS
    from stead.core.value import replace
    from stead.kinds import kinds
    from stead.language.desired import resolve
    from stead.language.spec import Stored, load
    from stead.plan.planner import Inputs
    from stead.store.view import load as load_view

    view = load_view(path)
    variables, files = workspace.variables, workspace.var_files
    spec, found = load(
        workspace.specs,
        kinds(),
        variables=variables,
        var_files=files,
        root=workspace.root,
        stored=Stored(documents=view.documents, uploads=str((workspace.directory / UPLOADS).resolve())),
    )
    desired, more = resolve(replace(spec, blind=True), key=b"")
    inputs = Inputs(
        desired=desired,
        recorded=view.recorded,
        observed=view.observed,
        kinds=kinds(),
        key=b"",
        plugins=load_plugins(),
        hooks=digests(desired, workspace.root),
    )
    sources = dict.fromkeys([*(workspace.root / name for name in view.inventories), *workspace.inventories])
    unshown = _differing(view.beside, beside(tuple(sources), desired, workspace.root))
    told = [UNSHOWN.at(None, _why(unshown))] if unshown else []
    found = [*found, *more, *unfit(desired, workspace.root), *told]
    return Blind(inputs=inputs, found=found, at=view.at, unshown=unshown)


def beside(sources: Sequence[Path], desired: Desired, root: Path) -> dict[str, str]:
    """Files that lie where the spec does, and decide what runs on the controller -> digests."""
    from stead.cli.common import hooks, inventories

    return inventories.digests(sources, root) | hooks.digests(desired, root)


def _differing(before: Mapping[str, str], now: Mapping[str, str]) -> tuple[str, ...]:
    return tuple(sorted(name for name in before.keys() | now if before.get(name) != now.get(name)))


def _why(names: tuple[str, ...]) -> str:
    shown = ", ".join(names[:SHOWN]) + (f" and {len(names) - SHOWN} more" if len(names) > SHOWN else "")
    return (
        f"{shown}: not what the site has. The inventory with what lies beside it, and hooks with all of their folder, "
        "decide what runs on the controller, and a plan shows none of it. Read these files before the change is merged."
    )
