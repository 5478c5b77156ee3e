# mypy: disable-error-code="no-untyped-call"
"""Secrets on the way to hosts: what is left of a run that was killed, and what a secret may not change."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from ansible_collections.stead.cloud.plugins.action.converge import HIDDEN, hidden
from stead.runner.ansible import SECRETS, forget_secrets


def test_secrets_of_a_run_that_was_killed_go_with_the_next_command(tmp_path: Path) -> None:
    with subprocess.Popen(["true"]) as ended:
        pass
    kept = {}
    for name in (f"20260101T000000-{ended.pid}", f"20260101T000001-{os.getpid()}", "of-somebody-else"):
        kept[name] = tmp_path / name / "wave-0" / SECRETS
        kept[name].parent.mkdir(parents=True)
        kept[name].write_text('{"a": "hunter2"}')
    forget_secrets(tmp_path)
    assert [path.exists() for path in kept.values()] == [False, True, True]


def test_a_secret_that_is_a_word_of_steads_changes_no_outcome() -> None:
    answer = {"results": [{"status": "ok", "action": "create", "error": "it is not ok", "done": ["write ok"]}]}
    assert hidden(answer, ["ok", "create"]) == {
        "results": [{"status": "ok", "action": "create", "error": f"it is not {HIDDEN}", "done": [f"write {HIDDEN}"]}]
    }
