"""A plan that was saved is the plan that is read, or it is refused."""

from __future__ import annotations

import json
import stat
from collections.abc import Iterator, Sequence
from copy import deepcopy
from dataclasses import replace
from functools import reduce
from hashlib import blake2b
from itertools import product
from operator import getitem
from pathlib import Path
from typing import Any

import pytest
from tests.unit.runner.making import gone, keep, plan_of, small, step, want_of, web

from stead.blueprint.model import Reason
from stead.core.address import Address
from stead.core.diagnostics import Place, Refused
from stead.core.effect import Action, Disruption
from stead.diff.model import FieldChange, Note
from stead.plan import file as plans
from stead.plan.model import Keep, Plan
from stead.plan.render import Style
from stead.plan.render.text import to_text


def rich() -> Plan:
    changed = step(
        web(0),
        "compute-1",
        Action.MIGRATE,
        have=want_of(web(0), memory=1),
        disturbs=Disruption.DATA_LOSS,
        reasons=(Reason("changed", "memory changed"), Reason("drift", "é 漢")),
        changes=(FieldChange("memory", 1, [1, {"a": None}]), FieldChange("name", None, "x", drift=True)),
        to="compute-2",
        loses="everything",
        pause=30,
    )
    steps = [changed, step(Address("", "projects", "acme"), "", after=(0,), wave=3), step(web(1), "c", Action.DESTROY)]
    place = Keep(web(0), {"uuid": "u"}, "c", (Address("", "images", "debian"),), True, "why", Place("a.yml", 3, 7))
    keeps = [place, gone(web(1)), keep(Address("acme", "volumes", "data", "eu.1"))]
    return plan_of(
        steps,
        keeps,
        outputs={"a": [1, None, {"$secret": "s1"}]},
        notes=(Note("orphan", "it is there", "acme/x/y", "c"),),
        renames={web(5): web(6)},
        unchanged=7,
    )


@pytest.mark.parametrize("plan", [small(), rich(), plan_of([], [])], ids=["small", "rich", "empty"])
def test_a_plan_is_read_as_it_was_saved(tmp_path: Path, plan: Plan) -> None:
    path = tmp_path / "plan"
    plans.save(plan, path)
    assert plans.load(path) == plan
    assert plans.read(plans.to_bytes(plan).splitlines(keepends=True), "it") == plan


def test_only_its_owner_can_read_it(tmp_path: Path) -> None:
    path = tmp_path / "plan"
    path.touch(mode=0o644)
    plans.save(small(), path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [one.name for one in tmp_path.iterdir()] == ["plan"]


def test_equal_plans_are_equal_files() -> None:
    assert plans.to_bytes(rich()) == plans.to_bytes(rich())


def test_what_many_steps_share_stands_once() -> None:
    content = plans.to_bytes(small(50))
    assert content.count(b'\\"vcpus\\"') == 1


def refused(path: Path) -> str:
    with pytest.raises(Refused) as refusal:
        plans.load(path)
    (told,) = refusal.value.diagnostics
    assert str(path) in told.detail
    return told.code


def test_a_plan_cut_off_anywhere_is_refused(tmp_path: Path) -> None:
    content = plans.to_bytes(rich())
    path = tmp_path / "plan"
    for at in {*range(0, len(content), 7), len(content) - 1}:
        path.write_bytes(content[:at])
        assert refused(path) in {"STEAD-X021", "STEAD-X022"}, at


def test_what_follows_the_end_of_a_plan_is_not_overlooked(tmp_path: Path) -> None:
    path = tmp_path / "plan"
    path.write_bytes(plans.to_bytes(rich()) + b"{}\n")
    assert refused(path) == "STEAD-X022"


def test_a_plan_that_was_edited_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "plan"
    path.write_bytes(plans.to_bytes(rich()).replace(b"compute-2", b"compute-3"))
    assert refused(path) == "STEAD-X022"


def test_a_line_taken_out_is_noticed(tmp_path: Path) -> None:
    lines = plans.to_bytes(rich()).splitlines(keepends=True)
    path = tmp_path / "plan"
    for at in range(1, len(lines)):
        path.write_bytes(b"".join(lines[:at] + lines[at + 1 :]))
        assert refused(path) == "STEAD-X022"


FORGED: Sequence[Any] = (None, 10**9, "x", [[]])


def test_a_plan_that_was_forged_checksum_and_all_is_refused_or_shown(tmp_path: Path) -> None:
    """Whatever stands in whichever place: never a traceback. Whom to trust is not for a checksum to say."""
    lines = [json.loads(line) for line in plans.to_bytes(rich()).splitlines()][:-1]
    path = tmp_path / "plan"
    refusals = 0
    for number, line in enumerate(lines):
        for place, value in product(_places(line), FORGED):
            path.write_bytes(_signed([*lines[:number], _with(line, place, value), *lines[number + 1 :]]))
            try:
                assert to_text(plans.load(path), Style(verbose=True))
            except Refused:
                refusals += 1
    assert refusals > 400


def _places(value: Any, here: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    if here:
        yield here
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, one in inner:
        yield from _places(one, (*here, name))


def _with(value: Any, place: tuple[Any, ...], new: Any) -> Any:
    changed = deepcopy(value)
    holder = reduce(getitem, place[:-1], changed)
    holder[place[-1]] = new
    return changed


def _signed(lines: Sequence[Any]) -> bytes:
    content = b"".join(json.dumps(line).encode() + b"\n" for line in lines)
    return content + json.dumps({"checksum": blake2b(content, digest_size=16).hexdigest()}).encode() + b"\n"


@pytest.mark.parametrize("content", [b"", b"\x00\xff", b"hello\n", b"[1]\n", b'{"a": 1}\n', b"null\n"])
def test_a_file_of_another_kind_is_no_plan(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "plan"
    path.write_bytes(content)
    assert refused(path) == "STEAD-X021"


def test_a_newer_plan_is_refused_as_such(tmp_path: Path) -> None:
    path = tmp_path / "plan"
    path.write_text(json.dumps({"stead-plan": plans.FORM + 1, "whatever": 1}))
    assert refused(path) == "STEAD-X023"


def test_a_missing_file_is_said(tmp_path: Path) -> None:
    assert refused(tmp_path / "nowhere") == "STEAD-X020"
    with pytest.raises(Refused):
        plans.save(small(), tmp_path / "no" / "directory")


def test_a_digest_is_kept(tmp_path: Path) -> None:
    plans.save(replace(small(), digest="abc"), tmp_path / "plan")
    assert plans.load(tmp_path / "plan").digest == "abc"
