"""Every example is valid, applies on its simulated hosts, and leaves nothing to do."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from stead.cli import main

EXAMPLES = Path(__file__).parent.parent.parent / "examples"
SPECS = sorted(path.parent for path in EXAMPLES.glob("*/inventory.yml"))  # `first` is for real hosts: tests/lab
MOST_LINES = 30  # of the small example: terraform-provider-libvirt takes 200 for less


@pytest.fixture
def example(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    there = tmp_path / "example"
    shutil.copytree(request.param, there, ignore=shutil.ignore_patterns(".stead"))
    monkeypatch.delenv("STEAD_STORE", raising=False)
    monkeypatch.chdir(there)
    return there


every_example = pytest.mark.parametrize("example", SPECS, indirect=True, ids=lambda path: path.name)


@every_example
def test_an_example_applies_and_leaves_nothing_to_do(example: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["validate"]) == 0
    assert main(["apply", "--auto-approve"]) == 0
    capsys.readouterr()
    assert main(["plan", "--detailed-exitcode"]) == 0
    assert capsys.readouterr().out.startswith("Nothing to do")
    assert main(["drift"]) == 0
    assert (example / "README.md").is_file()


@every_example
def test_an_example_is_in_the_one_style(example: Path) -> None:
    assert main(["fmt", "--check", str(example)]) == 0


@pytest.mark.parametrize("example", [EXAMPLES / "small"], indirect=True)
def test_two_instances_take_thirty_lines(example: Path) -> None:
    text = (example / "stead.yml").read_text()
    assert len(text.splitlines()) <= MOST_LINES
    assert "{{" not in text  # start-up is measured with it, and Jinja2 is not part of that


def test_all_examples_are_tried() -> None:
    assert {"small", "three-tier", "many-tenants", "project-files"} <= {path.name for path in SPECS}


@pytest.mark.parametrize("example", [EXAMPLES / "metering"], indirect=True)
def test_the_prices_of_the_example_are_all_that_its_projects_use(
    example: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["apply", "--auto-approve", "--quiet"]) == 0
    capsys.readouterr()
    assert main(["usage", "--prices", str(example / "prices.yml"), "--csv"]) == 0
    head, *rows = [line.split(",") for line in capsys.readouterr().out.splitlines()]
    assert head[2:4] == ["project", "meter"]
    priced = {row[3] for row in rows if row[7]}
    assert {row[2] for row in rows} == {"acme", "globex"}
    assert priced == {"instances", "running_vcpus", "running_memory", "disks", "volumes"}
