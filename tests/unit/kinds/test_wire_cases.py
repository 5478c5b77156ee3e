"""The cases of `tests/cases/<kind>/diff.yml`: want, have, and what differs.

A file has a `base`, which is a whole want. A case says in `want` and `have` how each departs from it (null takes a
field away), in `changes` what differs (field: [there, wanted]), and in `takes` the strongest of what that takes:
[action, disruption], and "later" when it is done for another reason only.
"""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.unit.kinds.building import settled
from tests.unit.kinds.example import design

from stead.core.effect import Action
from stead.core.kind import Kind
from stead.kinds import kinds

CASES = Path(__file__).parents[2] / "cases"
WIRE = "ansible_collections.stead.cloud.plugins.module_utils.wire"
STRENGTH = (Action.UPDATE, Action.MIGRATE, Action.REBOOT, Action.REBUILD, Action.REPLACE)


def _cases() -> list[Any]:
    found = []
    for path in sorted(CASES.glob("*/diff.yml")):
        content = yaml.safe_load(path.read_text())
        found += [
            pytest.param(path.parent.name, content["base"], case, id=f"{path.parent.name}: {case['case']}")
            for case in content["cases"]
        ]
    return found


def _kind(name: str) -> Kind:
    return next(kind for kind in kinds().values() if kind.name == name)


def _changed(base: Any, by: Any) -> Any:
    if not isinstance(base, dict) or not isinstance(by, dict):
        return by
    merged = {key: _changed(base.get(key), value) for key, value in by.items()}
    return {key: value for key, value in {**base, **merged}.items() if value is not None}


@pytest.mark.parametrize(("name", "base", "case"), _cases())
def test_differences_are_those_of_the_case(name: str, base: dict[str, Any], case: dict[str, Any]) -> None:
    want, have = (_changed(base, case.get(side) or {}) for side in ("want", "have"))
    found = import_module(f"{WIRE}.{name}").compare(want, have)
    assert {field: [old, new] for field, old, new in found} == (case.get("changes") or {})
    if "takes" in case:
        effects = [_kind(name).effect(field, old, new, want, have) for field, old, new in found]
        strongest = max(effects, key=lambda one: (STRENGTH.index(one.action), one.disturbs.rank))
        later = ["later"] if strongest.later else []
        assert [strongest.action.value, strongest.disturbs.value, *later] == case["takes"]


def test_what_is_as_it_should_be_differs_in_nothing() -> None:
    for one in settled(design()).resources.values():
        compare = import_module(f"{WIRE}.{_kind_of(one.address.kind)}").compare
        for want in one.wants.values():
            assert compare(want.fields(), want.fields()) == []


def _kind_of(plural: str) -> str:
    return kinds()[plural].name
