"""A site of simulated hosts, whose files are written and whose commands are run as users do."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from stead.cli import main


class SimulatedSite:
    """With one project, and a network in it."""

    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.folder, self.capsys = folder, capsys

    def write(self, **more: Any) -> None:
        project = {"networks": {"app": {"subnets": {"v4": {"cidr": "10.20.0.0/24"}}}}, **more}
        text = {"stead": 1, "images": {"debian": {"source": "/d.qcow2"}}, "projects": {"acme": project}}
        (self.folder / "stead.yml").write_text(yaml.safe_dump(text))

    def run(self, *words: str, rc: int = 0) -> str:
        self.capsys.readouterr()
        got = main(list(words))
        told = self.capsys.readouterr()
        assert got == rc, told.out + told.err
        return told.out if "--json" in words else " ".join((told.out + told.err).split())

    def planned(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = json.loads(self.run("plan", "--json"))["steps"]
        return found


def empty_folder(folder: Path, monkeypatch: pytest.MonkeyPatch, inventory: str) -> Path:
    """Where commands find this inventory, and no store of anybody's."""
    monkeypatch.chdir(folder)
    for name in ("STEAD_STORE", "STEAD_STORE_KEY"):
        monkeypatch.delenv(name, raising=False)
    (folder / "inventory.yml").write_text(inventory)
    return folder
