"""Hooks are files beside the spec: found before anything is done, and each member's own."""

from __future__ import annotations

from pathlib import Path

import pytest

from stead.cli import main
from stead.cli.common.hooks import of_resources
from stead.kinds import kinds
from stead.language.desired import resolve
from stead.language.spec import load

SPEC = """stead: 1
images: {debian: {source: /d.qcow2}}
flavors: {small: {vcpus: 1, memory: 1GiB, disk: 10GiB}}
projects:
  acme:
    instances:
      web:
        count: 2
        flavor: small
        image: debian
        hooks: [{playbook: hooks/drain.yml, when: before, vars: {number: "{{ index }}"}}]
      db: {count: 2, flavor: small, image: debian, hooks: [{playbook: hooks/drain.yml, when: before}]}
"""


@pytest.fixture
def spec(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "stead.yml").write_text(SPEC)
    (tmp_path / "inventory.yml").write_text(
        "all: {vars: {stead_runner: simulated}, children: {compute: {hosts: {compute-1: {}}}}}"
    )
    return tmp_path


@pytest.mark.parametrize("command", [["validate"], ["plan"], ["apply", "--auto-approve"]])
def test_a_playbook_that_is_not_there_is_told_first(
    spec: Path, command: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(command) == 1
    told = capsys.readouterr().err
    assert "STEAD-L020" in told
    assert "stead.yml:11:28" in told
    assert not (spec / ".stead" / "simulated.db").exists()
    (spec / "hooks").mkdir()
    (spec / "hooks" / "drain.yml").write_text("[]")
    assert main(["validate"]) == 0


def test_each_member_has_the_hooks_that_are_written_for_it(spec: Path) -> None:
    read, _ = load([spec / "stead.yml"], kinds(), root=spec)
    desired, found = resolve(read, key=b"key")
    assert found == []
    hooks = {str(address): [one.variables for one in some] for address, some in of_resources(desired, spec).items()}
    assert hooks == {
        "acme/instances/web[0]": [{"number": 0}],
        "acme/instances/web[1]": [{"number": 1}],
        "acme/instances/db": [{}],
    }
