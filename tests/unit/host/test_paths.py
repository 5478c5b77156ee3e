"""What a run that was killed left beside a file goes when that file is written again."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from ansible_collections.stead.cloud.plugins.module_utils.host.base import paths


def test_a_file_that_was_being_written_by_a_killed_run_is_cleared(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file, other = tmp_path / "hosts", tmp_path / "hosts-of-others"
    with monkeypatch.context() as killed:
        killed.setattr(os, "replace", lambda *_names: (_ for _ in ()).throw(KeyboardInterrupt))
        killed.setattr(paths, "remove", lambda _path: True)  # nobody clears up after SIGKILL
        for path in (file, other):
            with pytest.raises(KeyboardInterrupt):
                paths.write(str(path), "half")
    assert len(list(tmp_path.iterdir())) == 2
    paths.write(str(file), "whole")
    assert file.read_text() == "whole"
    (left,) = [one.name for one in tmp_path.iterdir() if one != file]
    assert left.startswith(".hosts-of-others.")
