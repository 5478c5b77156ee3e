"""The lab's fence agent speaks as those of Debian's `fence-agents` do."""

from __future__ import annotations

import subprocess
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from stead.lab import fence_agent, lifecycle


@pytest.fixture
def lab() -> Any:
    done: list[str] = []
    there = SimpleNamespace(on=True, done=done)
    there.leader = lambda _host: 1 if there.on else None

    def crash(_host: object) -> None:
        there.on = False

    there.crash = crash
    return there


def test_it_tells_the_power_and_cuts_it(lab: Any, capsys: pytest.CaptureFixture[str]) -> None:
    host: Any = "compute-1"
    assert fence_agent.do(lab, host, "status") == 0
    assert fence_agent.do(lab, host, "off") == 0
    assert fence_agent.do(lab, host, "status") == 2
    assert fence_agent.do(lab, host, "monitor") == 0
    assert capsys.readouterr().out.splitlines() == ["Status: ON", "Status: OFF", "Status: OFF"]
    assert fence_agent.do(lab, host, "reboot") == 1


def test_the_program_of_a_lab_that_is_gone_fails_and_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STEAD_LAB_HOME", str(tmp_path / "labs"))
    path = tmp_path / "fence_lab"
    path.write_text(lifecycle.fence_program("nowhere"))
    path.chmod(0o755)
    done = subprocess.run([path], input="action=off\nplug=compute-1\n", capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr
