"""A unit may end by itself while it is stopped. `systemctl` is a program that says what a script says."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from ansible_collections.stead.cloud.plugins.module_utils.host.base import units
from ansible_collections.stead.cloud.plugins.module_utils.host.base.errors import Failed
from ansible_collections.stead.cloud.plugins.module_utils.host.base.work import Work

SYSTEMCTL = """#!/bin/sh
case $1 in
  show) cat {at}/state ;;
  stop) {stop} ;;
esac
"""


def systemctl(folder: Path, monkeypatch: pytest.MonkeyPatch, stop: str) -> None:
    (folder / "state").write_text("loaded\n", encoding="utf-8")
    (folder / "systemctl").write_text(SYSTEMCTL.format(at=folder, stop=stop), encoding="utf-8")
    (folder / "systemctl").chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")


def test_a_unit_that_ends_while_it_is_stopped_is_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    systemctl(tmp_path, monkeypatch, f"echo not-found > {tmp_path}/state; exit 5")
    units.stop("stead-x.service", Work("compute-1"))


def test_a_unit_that_goes_on_is_a_failure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    systemctl(tmp_path, monkeypatch, "echo busy >&2; exit 1")
    with pytest.raises(Failed, match="busy"):
        units.stop("stead-x.service", Work("compute-1"))
