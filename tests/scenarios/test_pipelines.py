"""The pipelines of examples/ci, run as they stand: their own commands, in a shell, against simulated hosts.

What only a CI has (`gh`, the API of GitLab, `pip install`) is played by small scripts that write down what they got.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parent.parent.parent
CI = ROOT / "examples" / "ci"
# What a CI has kept of the last run on the protected branch lies beside the site, in `kept`.
STAND_INS = {
    "gh": 'case "$1 $2" in "run list") echo 41 ;; "run download") cp ../kept/site.view "$RUNNER_TEMP" ;; esac\n',
    "curl": 'case "$*" in *"--output site.view"*) cp ../kept/site.view site.view ;; esac\n',
    "pip": "",
}
EXPRESSION = re.compile(r"\$\{\{.*?\}\}")


@pytest.fixture
def site(tmp_path: Path) -> Path:
    here = tmp_path / "site"
    shutil.copytree(ROOT / "examples" / "small", here, ignore=shutil.ignore_patterns(".stead"))
    tools = tmp_path / "tools"
    tools.mkdir()
    for name, does in STAND_INS.items():
        tool = tools / name
        tool.write_text(f'#!/bin/sh\necho {name} "$@" >> "{tmp_path}/called"\n{does}')
        tool.chmod(0o755)
    return here


def shell(site: Path, script: str, more: Mapping[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    """As both CIs run scripts: bash that ends at the first failure."""
    tools = site.parent / "tools"
    environment = {
        "PATH": f"{tools}:{Path(sys.executable).parent}:{os.environ['PATH']}",
        "HOME": str(site.parent),
        "USER": "ci",
        **(more or {}),
    }
    command = ["bash", "-e", "-o", "pipefail", "-c", script]
    return subprocess.run(command, cwd=site, env=environment, capture_output=True, text=True, check=False)


def called(site: Path) -> str:
    file = site.parent / "called"
    return file.read_text() if file.exists() else ""


def keep_view(site: Path) -> None:
    """As the last run on the protected branch leaves it."""
    (site.parent / "kept").mkdir()
    assert shell(site, "stead plan --quiet --save-view ../kept/site.view").returncode == 0


def change(site: Path, old: str, new: str) -> None:
    spec = site / "stead.yml"
    assert old in spec.read_text()
    spec.write_text(spec.read_text().replace(old, new))


# Plain shell


def pipeline(site: Path, stage: str) -> subprocess.CompletedProcess[str]:
    return shell(site, f"{CI / 'pipeline.sh'} {stage}")


def test_the_shell_pipeline_applies_what_was_reviewed(site: Path) -> None:
    assert pipeline(site, "validate").returncode == 0
    planned = pipeline(site, "plan")
    assert (planned.returncode, planned.stdout) == (0, "there are changes\n")
    assert (site / "plan.md").read_text().startswith("### Plan: 8 to create")
    applied = pipeline(site, "apply")
    assert applied.returncode == 0, applied.stderr
    assert pipeline(site, "plan").stdout == "nothing to do\n"
    change(site, "memory: 4GiB", "memory: 8GiB")
    assert pipeline(site, "preview").returncode == 0
    assert "memory" in (site / "plan.md").read_text()
    change(site, "memory: 8GiB", "memory: 4GiB")
    assert pipeline(site, "drift").returncode == 0


def test_the_shell_pipeline_refuses_a_plan_that_is_out_of_date(site: Path) -> None:
    assert pipeline(site, "plan").returncode == 0
    change(site, "memory: 4GiB", "memory: 8GiB")
    applied = pipeline(site, "apply")
    assert applied.returncode == 1
    assert "STEAD-A001" in applied.stderr


def test_the_shell_pipeline_stops_at_what_disturbs_too_much(site: Path) -> None:
    assert pipeline(site, "plan").returncode == 0
    assert pipeline(site, "apply").returncode == 0
    change(site, "memory: 4GiB", "memory: 8GiB")
    planned = pipeline(site, "plan")
    assert planned.returncode == 1
    assert "STEAD-X011" in planned.stderr


def test_the_shell_pipeline_finds_mistakes_and_drift(site: Path) -> None:
    assert pipeline(site, "plan").returncode == 0
    assert pipeline(site, "apply").returncode == 0
    assert shell(site, "stead simulate lose demo/instances/web").returncode == 0
    drifted = pipeline(site, "drift")
    assert drifted.returncode == 2
    assert "demo/instances/web" in drifted.stdout
    change(site, "networks: [app]\n        cloud_init", "networks: [ap]\n        cloud_init")
    assert pipeline(site, "validate").returncode == 1
    assert "STEAD-R001" in (site / "stead-validate.xml").read_text()


# GitHub Actions


def github(site: Path, *jobs: str) -> None:
    """The `run` steps of these jobs, one after the other, with what GitHub would put into their environment."""
    workflow = yaml.safe_load((CI / "github.yml").read_text())
    for job in jobs:
        for step in workflow["jobs"][job]["steps"]:
            if "run" in step:
                done = shell(site, step["run"], _github_environment(site, {**workflow["env"], **step.get("env", {})}))
                assert done.returncode == 0, f"{job}: {step['name']}\n{done.stdout}{done.stderr}"


def _github_environment(site: Path, declared: Mapping[str, Any]) -> dict[str, str]:
    known = {"MAX_DISRUPTION": "migrate", "PULL_REQUEST": "7"}
    return {
        **{name: EXPRESSION.sub(known.get(name, ""), str(value)) for name, value in declared.items()},
        "RUNNER_TEMP": str(site.parent),
        "GITHUB_OUTPUT": str(site.parent / "output"),
        "GITHUB_STEP_SUMMARY": str(site.parent / "summary.md"),
        "GITHUB_WORKFLOW": "stead",
        "GITHUB_RUN_ID": "42",
        "GITHUB_ACTOR": "ada",
    }


def test_the_github_workflow_comments_and_applies(site: Path) -> None:
    keep_view(site)
    github(site, "validate", "comment")
    assert "gh pr comment 7 --edit-last --create-if-none --body-file plan.md" in called(site)
    assert "Plan of this pull request" in (site / "plan.md").read_text()
    github(site, "plan", "apply", "drift")
    assert (site.parent / "output").read_text() == "changes=2\n"
    assert "8 to create" in (site.parent / "summary.md").read_text()
    assert "stead 42" in shell(site, "stead runs").stdout
    github(site, "plan")
    assert (site.parent / "output").read_text().endswith("changes=0\n")


def test_the_github_workflow_keeps_expressions_out_of_scripts() -> None:
    """What someone writes into a branch's name must never be run."""
    workflow = yaml.safe_load((CI / "github.yml").read_text())
    scripts = [step["run"] for job in workflow["jobs"].values() for step in job["steps"] if "run" in step]
    assert len(scripts) > 5
    assert not [script for script in scripts if EXPRESSION.search(script)]


def test_actions_are_pinned_by_their_commits() -> None:
    workflow = yaml.safe_load((CI / "github.yml").read_text())
    uses = [step["uses"] for job in workflow["jobs"].values() for step in job["steps"] if "uses" in step]
    assert len(uses) > 5
    assert not [one for one in uses if not re.fullmatch(r"[\w/.-]+@[0-9a-f]{40}", one)]


def test_what_plans_a_pull_request_has_no_secrets_and_no_way_to_hosts() -> None:
    workflow = yaml.safe_load((CI / "github.yml").read_text())
    assert not [value for value in workflow["env"].values() if "secrets." in value]
    for name in ("validate", "comment"):
        job = workflow["jobs"][name]
        assert job["runs-on"] == "ubuntu-latest"
        assert "secrets." not in str(job)
        assert "environment" not in job
    pipelines = yaml.safe_load((CI / "gitlab.yml").read_text())
    for name in ("validate", "comment"):
        assert "tags" not in pipelines[name]


# GitLab CI


def gitlab(site: Path, *jobs: str) -> None:
    pipelines = yaml.safe_load((CI / "gitlab.yml").read_text())
    environment = {
        **pipelines["variables"],
        "CI_API_V4_URL": "https://gitlab.example/api/v4",
        "CI_PROJECT_ID": "5",
        "CI_DEFAULT_BRANCH": "main",
        "CI_JOB_TOKEN": "j",
        "CI_MERGE_REQUEST_IID": "9",
        "CI_PIPELINE_ID": "42",
        "COMMENT_TOKEN": "t",
    }
    for job in jobs:
        script = "\n".join([*pipelines["default"]["before_script"], *pipelines[job]["script"]])
        done = shell(site, script, environment)
        assert done.returncode == 0, f"{job}\n{done.stdout}{done.stderr}"


def test_the_gitlab_pipeline_comments_and_applies(site: Path) -> None:
    keep_view(site)
    gitlab(site, "validate", "comment")
    assert "body@plan.md https://gitlab.example/api/v4/projects/5/merge_requests/9/notes" in called(site)
    gitlab(site, "plan", "apply", "drift")
    assert "pipeline 42" in shell(site, "stead runs").stdout
    assert shell(site, "stead plan --detailed-exitcode").returncode == 0


def test_every_stage_of_gitlab_is_declared() -> None:
    pipelines = yaml.safe_load((CI / "gitlab.yml").read_text())
    jobs = [job for job in pipelines.values() if isinstance(job, dict) and "stage" in job]
    assert {job["stage"] for job in jobs} == set(pipelines["stages"])


# pre-commit


def test_the_hooks_run_commands_that_exist(site: Path) -> None:
    hooks = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text())
    assert {hook["id"] for hook in hooks} == {"stead-validate", "stead-fmt"}
    for hook in hooks:
        assert shell(site, hook["entry"]).returncode == 0
