"""What the README tells a new user to type on a laptop works as it stands there."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

README = Path(__file__).parents[2] / "README.md"


def commands() -> str:
    """The laptop's block, from where Stead is installed on."""
    block = README.read_text(encoding="utf-8").partition("## On a laptop")[2].split("```")[1]
    lines = block.strip().splitlines()[1:]
    assert len(lines) > 4
    return "\n".join(lines)


def test_the_commands_for_a_laptop_work_in_their_order(tmp_path: Path) -> None:
    environment = {**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    done = subprocess.run(
        ["bash", "-euxc", commands()], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "5 passed" in done.stdout
