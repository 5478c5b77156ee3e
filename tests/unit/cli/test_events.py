"""`stead events` prints what happened once, and with --follow what happens, each once."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from stead.cli import main
from stead.cli.commands.events import since
from stead.core.diagnostics import Refused

HOURS = 3600.0


@pytest.mark.usefixtures("demo")
def test_all_runs_and_changes_by_hand_are_told_in_their_order(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["state", "mv", "acme/instances/db", "acme/instances/other"]) == 0
    capsys.readouterr()
    assert main(["events"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert "create projects/acme" in "\n".join(lines)
    assert "moved acme/instances/other" in lines[-1]
    assert lines == sorted(lines, key=lambda line: line[:20])
    assert main(["events", "--project", "acme", "--json"]) == 0
    found = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert found
    assert all(one["address"].startswith("acme/") for one in found)
    assert main(["events", "--since", "2999-01-01T00:00:00"]) == 0
    assert capsys.readouterr().out == ""
    assert main(["events", "--project", "acm"]) == 1
    assert "STEAD-C021" in capsys.readouterr().err


@pytest.mark.parametrize("text", ["yesterday", "2x", "-1h", "0001-01-01T00:00:00+14:00", ""])
def test_a_wrong_time_is_refused(text: str) -> None:
    with pytest.raises(Refused, match="STEAD-C082"):
        since(text, 0.0)


def test_times_are_moments_or_ago() -> None:
    assert since("2h", 10 * HOURS) == 8 * HOURS
    assert since("1970-01-02", 0.0) == 24 * HOURS


@pytest.mark.usefixtures("demo")
def test_what_happens_is_told_while_it_happens_and_once() -> None:
    words = [sys.executable, "-m", "stead", "events", "--follow", "--json", "--since", "1s"]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True, cwd=Path.cwd()) as process:
        assert process.stdout is not None
        lines: list[str] = []

        def read(stream: Iterator[str]) -> None:
            lines.extend(stream)

        reader = threading.Thread(target=read, args=(process.stdout,))
        reader.start()
        try:
            time.sleep(2)
            assert main(["stop", "acme/instances/db", "--auto-approve", "--quiet"]) == 0
            until = time.monotonic() + 20
            while not any("acme/instances/db" in line for line in lines) and time.monotonic() < until:
                time.sleep(0.1)
            time.sleep(2.5)
        finally:
            process.terminate()
            reader.join()
    stopped = [json.loads(line) for line in lines if "acme/instances/db" in line]
    assert [(one["what"], one["state"]) for one in stopped if one["run"] > 1] == [("update", "done")]
