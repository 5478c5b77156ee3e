"""`--as USER`: whether somebody may make a change, and what the next such question is compared with."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from stead.cli.common.loading import Loaded
    from stead.core.diagnostics import Diagnostic
    from stead.language.desired.parts import SpecPart
    from stead.plan.model import Plan

PART = "part"  # of the spec, as it was applied last: among what the store knows of people
SELECTING = ("target", "exclude", "label", "project")
NOT_ALL = (*SELECTING, "destroy", "refresh_only", "state")  # the spec is not what is applied


def not_permitted(user: str, plan: Plan, loaded: Loaded) -> list[Diagnostic]:
    """With nobody named, whoever has the keys to store and hosts may do everything."""
    if not user:
        return []
    from stead.plan.permission import acting, beyond, refused

    who = acting(user, loaded.store.recorded(), loaded.inputs.kinds)
    asked = {option: said for option, said in _asked(plan).items() if option not in SELECTING}
    before = {name: one["digest"] for (kind, name), one in loaded.store.identities().items() if kind == PART}
    return [*beyond(who, asked), *refused(who, plan, before, _parts(loaded), loaded.store.documents())]


def remember(plan: Plan, loaded: Loaded) -> None:
    """What the spec has, once all of it was applied by somebody who may do that."""
    if any(one in NOT_ALL for one in _asked(plan)):
        return
    now = {one.key: {"digest": one.digest} for one in _parts(loaded)}
    known = {name: one for (kind, name), one in loaded.store.identities().items() if kind == PART}
    changed = {(PART, name): now.get(name) for name in known.keys() | now.keys() if known.get(name) != now.get(name)}
    if changed:
        loaded.store.write_identities(changed)


def _asked(plan: Plan) -> dict[str, list[str] | str | bool]:
    found: dict[str, list[str] | str | bool] = json.loads(plan.made.asked) if plan.made.asked else {}
    return found


def _parts(loaded: Loaded) -> Sequence[SpecPart]:
    from stead.language.desired.parts import parts_of

    inputs = loaded.inputs
    beside = {"inventory": inputs.inventory, "hooks": dict(inputs.hooks)}
    return parts_of(inputs.desired, inputs.key, loaded.store.documents(), beside)
