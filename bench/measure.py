"""Runs a command and says what it cost: wall and CPU seconds, and the most memory it held."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

STEAD = (str(Path(sys.executable).parent / "stead"),)


class Cost(NamedTuple):
    wall: float
    cpu: float
    peak: float  # MiB
    status: int
    output: str

    def __str__(self) -> str:
        return f"{self.wall:8.2f} s wall {self.cpu:8.2f} s CPU {self.peak:7.0f} MiB"


def run(command: Sequence[str], folder: Path, *, expect: Sequence[int] = (0,)) -> Cost:
    """Costs of one process and its children; a status that was not expected ends the benchmark."""
    output = folder / ".bench-output"
    started = time.perf_counter()
    with output.open("wb") as sink:
        process = subprocess.Popen(command, cwd=folder, stdin=subprocess.DEVNULL, stdout=sink, stderr=sink)
        _, status, used = os.wait4(process.pid, 0)
    wall = time.perf_counter() - started
    text = output.read_text(errors="replace")
    code = os.waitstatus_to_exitcode(status)
    if code not in expect:
        raise SystemExit(f"{' '.join(command)} ended with {code}:\n{text[-3000:]}")
    return Cost(wall, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024, code, text)


def best(command: Sequence[str], folder: Path, *, times: int, expect: Sequence[int] = (0,)) -> Cost:
    """The cheapest of several: what the machine's other work did not disturb."""
    return min((run(command, folder, expect=expect) for _ in range(times)), key=lambda cost: cost.wall)
