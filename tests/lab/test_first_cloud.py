"""The README's first command, as it stands: from a lab to an instance that answers; and what people do next."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
NAME = f"f{os.getpid() % 10_000}"
STEAD = ROOT / ".venv" / "bin" / "stead"


@pytest.fixture(scope="module")
def said() -> Iterator[str]:
    environment = {**os.environ, "STEAD_LAB": NAME}
    try:
        done = subprocess.run(
            [ROOT / "scripts" / "first-cloud"], env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
        yield done.stdout
    finally:
        subprocess.run([STEAD, "lab", "down", "--name", NAME], capture_output=True, check=False)


@pytest.mark.lab
def test_first_command_ends_with_an_instance_that_answers(said: str) -> None:
    assert '"hostname": "web-0"' in said
    assert "Here is your cloud" in said
    assert f"stead lab down --name {NAME}" in said


@pytest.mark.lab
def test_hosts_are_listed_with_what_runs_on_them(said: str) -> None:
    assert said
    inventory = f"/var/lib/stead-lab/{NAME}/inventory.yml"
    done = subprocess.run([STEAD, "hosts", "-i", inventory], capture_output=True, text=True, check=True)
    assert "5 of 5 hosts up, 2 instances running" in done.stdout


@pytest.mark.lab
def test_applied_spec_leaves_nothing_to_do_on_real_hosts(said: str) -> None:
    image = next(word for word in said.split() if word.startswith("image=")).removeprefix("image=")
    folder = Path(f"/var/lib/stead-lab/{NAME}")
    plan: list[str | Path] = [
        STEAD,
        "plan",
        "-i",
        folder / "inventory.yml",
        "-e",
        f"image={image}",
        "--detailed-exitcode",
    ]
    done = subprocess.run(plan, cwd=folder / "site", capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "Nothing to do: 9 unchanged.\n")


@pytest.mark.lab
def test_destroying_leaves_no_instance_behind(said: str) -> None:
    image = next(word for word in said.split() if word.startswith("image=")).removeprefix("image=")
    folder = Path(f"/var/lib/stead-lab/{NAME}")
    options = [
        "-i",
        str(folder / "inventory.yml"),
        "-e",
        f"image={image}",
        "--auto-approve",
        "--max-disruption",
        "data-loss",
    ]
    done = subprocess.run(
        [STEAD, "destroy", *options], cwd=folder / "site", capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    listed = subprocess.run(
        [STEAD, "hosts", "-i", folder / "inventory.yml"], capture_output=True, text=True, check=True
    )
    assert "0 instances running" in listed.stdout
