"""Hooks are files beside the spec: found before anything is done, and each member's own."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

import pytest
from tests.unit.runner.making import small

from stead.cli import main
from stead.language.spec.digests import digest_of_folder
from stead.plan import file as plans
from stead.plan.model import PlannedHook
from stead.runner import Event, StepsEnded, Wave, ansible
from stead.runner.ansible import AnsibleRunner
from stead.runner.ansible_process import Played

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


@pytest.mark.parametrize("command", [["validate"], ["plan"]])
def test_a_hook_lies_in_a_folder_that_the_digest_can_cover(
    spec: Path, command: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    (spec / "drain.yml").write_text("[]")
    (spec / "stead.yml").write_text(SPEC.replace("hooks/drain.yml", "drain.yml"))
    assert main(command) == 1
    assert "STEAD-G010" in (told := capsys.readouterr().err)
    assert "lies beside the spec" in told
    (spec / "stead.yml").write_text(SPEC)
    (spec / "hooks").mkdir()
    (spec / "drain.yml").rename(spec / "hooks" / "drain.yml")
    (spec / "hooks" / "same").symlink_to("drain.yml")
    assert main(["validate"]) == 0
    for name, target in (("roles", spec), ("tasks.yml", "../stead.yml"), ("ring", "ring")):
        link = spec / "hooks" / name
        link.symlink_to(target)
        assert main(command) == 1
        assert f"{name}, in the folder of the playbook, is a link" in " ".join(capsys.readouterr().err.split())
        link.unlink()


def planned(spec: Path) -> list[dict[str, Any]]:
    (spec / "hooks").mkdir(exist_ok=True)
    (spec / "hooks" / "drain.yml").write_text("[]")
    assert main(["plan", "--quiet", "-o", "it.plan"]) == 0
    plan = plans.load(spec / "it.plan")
    told: list[dict[str, Any]] = [
        {**hook._asdict(), "address": str(plan.steps[hook.step].address)} for hook in plan.hooks
    ]
    return told


def test_each_member_has_the_hooks_that_are_written_for_it(spec: Path) -> None:
    """And each runs once for a resource, with the step where that lives."""
    hooks = planned(spec)
    assert [(one["address"], one["when"], one["variables"]) for one in hooks] == [
        ("acme/instances/db[0]", "before", {}),
        ("acme/instances/db[1]", "before", {}),
        ("acme/instances/web[0]", "before", {"number": 0}),
        ("acme/instances/web[1]", "before", {"number": 1}),
    ]


def test_a_plan_shows_what_runs_on_the_machine_that_applies(spec: Path, capsys: pytest.CaptureFixture[str]) -> None:
    planned(spec)
    digest = plans.load(spec / "it.plan").hooks[0].digest
    for form in ("text", "markdown", "html"):
        assert main(["show", "it.plan", "--format", form]) == 0
        told = re.sub(r"[\s\\]+", " ", capsys.readouterr().out)
        assert "Hooks: these playbooks run on the machine that applies" in told
        assert f"hooks/drain.yml ({digest[:12]}) before create of" in told
    assert main(["show", "it.plan", "--json"]) == 0
    assert [one["digest"] for one in json.loads(capsys.readouterr().out)["hooks"]] == [digest] * 4


@pytest.mark.parametrize("name", ["drain.yml", "roles/drain/tasks/main.yml", "group_vars/all.yml", "library/drain.py"])
def test_a_playbook_that_changed_since_it_was_planned_is_not_run(
    spec: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    """Nor one that would import something else."""
    planned(spec)
    before = plans.load(spec / "it.plan").digest
    (spec / "hooks" / name).parent.mkdir(parents=True, exist_ok=True)
    (spec / "hooks" / name).write_text("[{hosts: all}]")
    assert main(["apply", "it.plan"]) == 1
    told = capsys.readouterr().err
    assert "STEAD-A001" in told
    assert "hooks/drain.yml" in told
    assert main(["plan", "--quiet", "-o", "other.plan"]) == 0
    assert plans.load(spec / "other.plan").digest != before


@pytest.fixture
def hook(tmp_path: Path) -> PlannedHook:
    path = tmp_path / "hooks" / "drain.yml"
    path.parent.mkdir()
    path.write_text("[]")
    return PlannedHook(0, str(path), "before", digest_of_folder(path.parent), {"number": 1})


def ran(
    folder: Path, hook: PlannedHook, monkeypatch: pytest.MonkeyPatch
) -> tuple[list[Mapping[str, str]], list[Event]]:
    """The environments of the plays, and what was heard of the step."""
    environments: list[Mapping[str, str]] = []
    heard: list[Event] = []

    class Fails:
        """In the place of ansible-playbook."""

        def __init__(self, arguments: list[str], log: Path, environment: Mapping[str, str]) -> None:
            del arguments, log
            environments.append(environment)

        def __enter__(self) -> Self:
            return self

        def __exit__(self, *_: object) -> None: ...

        def wait(self) -> Played:
            return Played(1, "it fails")

    monkeypatch.setattr(ansible, "Playing", Fails)
    step = small().steps[0]
    wave = Wave(number=0, steps=[step], hooks={0: [hook]}, secrets={0: {"s1": "hunter2"}}, site_key="key")
    AnsibleRunner(inventory=(), folder=folder / "run").run(wave, heard.append)
    return environments, heard


def test_a_hook_has_nothing_that_opens_the_store(
    tmp_path: Path, hook: PlannedHook, monkeypatch: pytest.MonkeyPatch
) -> None:
    secrets = ("STEAD_STORE_KEY", "STEAD_STORE_KEY_FILE", "STEAD_STORE", "ANSIBLE_VAULT_PASSWORD_FILE", "GITHUB_TOKEN")
    for name in secrets:
        monkeypatch.setenv(name, "hunter2")
    environments, heard = ran(tmp_path, hook, monkeypatch)
    assert isinstance(heard[-1], StepsEnded)
    (environment,) = environments
    assert environment["PATH"]
    assert "hunter2" not in environment.values()
    left = [path.name for path in (tmp_path / "run").rglob("*") if path.is_file()]
    assert left == ["variables"]


def test_a_hook_that_changed_under_way_is_not_run(
    tmp_path: Path, hook: PlannedHook, monkeypatch: pytest.MonkeyPatch
) -> None:
    Path(hook.playbook).with_name("tasks.yml").write_text("[]")
    environments, heard = ran(tmp_path, hook, monkeypatch)
    assert environments == []
    assert isinstance(heard[-1], StepsEnded)
    (result,) = heard[-1].results
    assert "has changed since it was planned" in result.error
