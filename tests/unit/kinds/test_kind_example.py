"""A kind that comes by entry point edits no file: it is planned, applied on simulated hosts, and done by a host."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from tests.installing import install_example
from tests.unit.kinds.forms import misfits

from ansible_collections.stead.cloud.plugins.module_utils.host.base import ledger, paths
from ansible_collections.stead.cloud.plugins.module_utils.host.kinds import table
from ansible_collections.stead.cloud.plugins.module_utils.host.run import batch
from stead import kinds as finding
from stead.cli import main
from stead.core.kind import Kind, QuotaWord, Scope
from stead.core.value import replace

EXAMPLE = Path(__file__).parents[3] / "plugins" / "kind-example"
HOST_HALF = "ansible_collections.stead.site.plugins.module_utils"
INVENTORY = Path(__file__).parents[3] / "examples" / "small" / "inventory.yml"


@pytest.fixture
def example(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Kind]:
    """Installed the way pip and ansible-galaxy leave it."""
    folder, modules = tmp_path / "site-packages", set(sys.modules)
    install_example(EXAMPLE, folder, monkeypatch)
    finding.kinds.cache_clear()
    half = import_module(f"{HOST_HALF}.kinds")
    monkeypatch.setattr(half, "FOLDER", str(tmp_path / "motd.d"))
    monkeypatch.setitem(table.KINDS, "notices", half.KINDS["notices"])
    yield finding.kinds()["notices"]
    finding.kinds.cache_clear()
    for name in set(sys.modules) - modules:
        if name.startswith(("stead_kind_example", "ansible_collections.stead.site")):
            del sys.modules[name]


def test_it_is_planned_and_applied_as_any_other(
    example: Kind, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert example.plural == "notices"
    shutil.copy(INVENTORY, tmp_path)
    spec = tmp_path / "stead.yml"
    spec.write_text("stead: 1\nnotices:\n  owner: {text: Ask first., role: compute}\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("STEAD_STORE", raising=False)
    assert main(["plan"]) == 0
    said = capsys.readouterr().out
    assert "notices/owner" in said
    assert "Ask first." in said
    assert main(["apply", "--auto-approve"]) == 0
    spec.write_text("stead: 1\nnotices:\n  owner: {text: Ask twice., role: compute}\n")
    capsys.readouterr()
    assert main(["apply", "--auto-approve"]) == 0
    assert "Ask twice." in capsys.readouterr().out
    assert main(["plan", "--detailed-exitcode"]) == 0


def test_it_has_a_quota_of_its_own(
    example: Kind, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """As if projects could write notices: two words, of which one is counted in bytes."""
    quota = {"notices": QuotaWord("Notices", example=2), "letters": QuotaWord("Text of all notices", size=True)}
    theirs = replace(
        example, scope=Scope.PROJECT, quota=quota, usage=lambda block, _desired: {"letters": len(block.model.text)}
    )
    monkeypatch.setattr(sys.modules["stead_kind_example"], "KIND", theirs)
    finding.kinds.cache_clear()
    spec, text = tmp_path / "stead.yml", "x" * 2000
    spec.write_text(
        "stead: 1\nsite: {quota: {notices: 1}}\nprojects:\n"
        f"  a: {{quota: {{letters: 3KiB}}, notices: {{one: {{text: {text}}}, two: {{text: {text}}}}}}}\n"
    )
    monkeypatch.chdir(tmp_path)
    assert main(["validate"]) == 1
    said = capsys.readouterr().err
    assert "Project a requests 2 notices; the quota is 1, exceeded by 1." in said
    assert "Project a requests 3.906KiB letters; the quota is 3KiB" in said
    spec.write_text("stead: 1\nprojects: {a: {quota: {notice: 1}}}\n")
    assert main(["validate"]) == 1
    assert "There is no field 'notice' here. Did you mean 'notices'?" in capsys.readouterr().err
    assert main(["schema"]) == 0
    described = json.loads(capsys.readouterr().out)["$defs"]["quota"]["properties"]
    assert described["notices"]["examples"] == [2]
    assert described["letters"]["description"] == "Text of all notices"


def test_a_host_carries_it_out(example: Kind, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(paths, "JOURNAL", str(tmp_path / "journal"))
    monkeypatch.setattr(ledger, "LEDGER", str(tmp_path / "ledger"))
    monkeypatch.setattr(paths, "ROOT", str(tmp_path))
    want = {"name": "notices/owner", "uuid": "0-1", "text": "Ask first."}
    form = import_module(example.wire).NoticeWant
    assert not list(misfits(want, form))
    assert set(form.__annotations__) == {field.partition(".")[0] for field in example.effects}
    step: dict[str, Any] = {
        "number": 1, "address": "notices/owner", "kind": "notices", "action": "create", "uuid": "0-1", "digest": "d",
        "want": want, "have": None, "after": [], "to": "",
    }  # fmt: skip
    payload = {"host": "c1", "run": "r", "steps": [step]}
    (made,) = batch.Batch(payload).carry_out()
    assert (made["status"], made["changed"]) == ("ok", True)
    shown = tmp_path / "motd.d" / "stead-0-1"
    assert shown.read_text() == "Ask first.\n"
    (again,) = batch.Batch(payload).carry_out()
    assert (again["status"], again["changed"]) == ("ok", False)
    (gone,) = batch.Batch({**payload, "steps": [{**step, "action": "destroy", "want": None, "have": want}]}).carry_out()
    assert (gone["status"], shown.exists()) == ("ok", False)
