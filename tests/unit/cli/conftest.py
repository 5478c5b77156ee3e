"""A demo site that was applied: made once for a file of tests, and copied for each of them."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from stead.cli import main


@pytest.fixture(scope="module")
def applied(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("applied") / "demo"
    assert main(["init", "demo", "-C", str(folder)]) == 0
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        assert main(["apply", "--auto-approve", "--quiet"]) == 0
    return folder


@pytest.fixture
def demo(applied: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    shutil.copytree(applied, tmp_path / "demo")
    monkeypatch.chdir(tmp_path / "demo")
    for name in ("STEAD_STORE", "STEAD_STORE_KEY"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path / "demo"
