"""What the watch starts: everybody on the machine may read the words of a command."""

from __future__ import annotations

from pathlib import Path

from stead.cli.commands.watch import _evacuation, _surroundings
from stead.cli.common.workspace import Workspace

STORE = "postgresql://ada:hunter2@db.example.com/cloud"


def test_the_stores_password_is_in_no_list_of_processes() -> None:
    workspace = Workspace(specs=(), root=Path(), inventories=(), store=STORE)
    assert "hunter2" not in " ".join(_evacuation(workspace, "compute-1"))
    assert _surroundings(workspace)["STEAD_STORE"] == STORE
