"""The host's journal on a disk that is nearly full: a line of it is whole or not there, and the step is not begun."""

from __future__ import annotations

import json
import resource
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from ansible_collections.stead.cloud.plugins.module_utils.host.base import journal, paths
from ansible_collections.stead.cloud.plugins.module_utils.host.base.step import HostStep

STEP: HostStep = {"number": 1, "address": "acme/volumes/one", "action": "create"}


@contextmanager
def room_for(size: int) -> Iterator[None]:
    """No file of this process may become larger: the kernel then writes what fits, as on a full disk."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    kept = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, kept)


def test_a_line_of_which_a_part_fits_is_not_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(paths, "JOURNAL", str(tmp_path))
    written = journal.Journal("7")
    written.write(STEP, "begin")
    path = tmp_path / "7.jsonl"
    whole = path.read_bytes()
    with room_for(len(whole) + 10), pytest.raises(OSError, match="No space left"):
        written.write(STEP, "end", status="ok")
    assert path.read_bytes() == whole
    written.write(STEP, "end", status="ok")
    assert [json.loads(line)["event"] for line in path.read_text().splitlines()] == ["begin", "end"]
