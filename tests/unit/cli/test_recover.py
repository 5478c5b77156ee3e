"""A store that was lost, is old or another's, over the demo's simulated hosts: refused, and rebuilt from the hosts."""

from __future__ import annotations

import json
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from stead.cli import main
from stead.store import open_store


def lose(demo: Path) -> None:
    for path in (demo / ".stead").iterdir():
        if path.is_file() and not path.name.startswith("simulated.db"):
            path.unlink()


def hosts(demo: Path, statement: str) -> None:
    with closing(sqlite3.connect(demo / ".stead" / "simulated.db")) as db, db:
        db.execute(statement)


def recorded(demo: Path) -> dict[str, Any]:
    resources = open_store("", directory=demo / ".stead").recorded().resources
    return {
        str(address): (one.host, dict(one.leases), {host: want.digest for host, want in one.wants.items()}, one.after)
        for address, one in resources.items()
    }


def said(capsys: pytest.CaptureFixture[str], status: int, *words: str) -> str:
    capsys.readouterr()
    assert main(list(words)) == status
    told = capsys.readouterr()
    return " ".join((told.out + told.err).split())


def test_a_missing_store_plans_nothing_and_leaves_none_behind(demo: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lose(demo)
    for words in (["plan"], ["apply", "--auto-approve"], ["destroy", "--auto-approve"], ["drain", "compute-1"]):
        assert "STEAD-S022" in said(capsys, 1, *words)
        assert not {"state.db", "site.json"} & {path.name for path in (demo / ".stead").iterdir()}


def test_another_sites_hosts_are_left_alone(demo: Path, capsys: pytest.CaptureFixture[str]) -> None:
    hosts(demo, "UPDATE origins SET site = 'other' WHERE host = 'compute-1'")
    told = said(capsys, 1, "plan")
    assert "STEAD-S023" in told
    assert "compute-1 is a host of site other" in told
    assert "STEAD-S023" in said(capsys, 1, "drift")


def test_an_older_copy_is_refused_and_completed(demo: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder, old = demo / ".stead", demo / "old"
    shutil.copytree(folder, old, ignore=shutil.ignore_patterns("simulated*"))
    spec = demo / "stead.yml"
    spec.write_text(spec.read_text().replace("count: 3", "count: 4"))
    assert (
        main(["apply", "--auto-approve", "-q", "--max-disruption", "data-loss", "--replace", "acme/instances/proxy"])
        == 0
    )
    whole = recorded(demo)
    lose(demo)
    shutil.copytree(old, folder, dirs_exist_ok=True)
    assert "STEAD-S024" in said(capsys, 1, "plan")
    assert "STEAD-S020" in said(capsys, 1, "recover")
    said(capsys, 0, "recover", "--merge")
    assert recorded(demo) == whole
    assert "Nothing to do" in said(capsys, 0, "plan", "--detailed-exitcode")


def test_a_lost_store_is_rebuilt_whole(demo: Path, capsys: pytest.CaptureFixture[str]) -> None:
    whole, key = recorded(demo), (demo / ".stead" / "key").read_bytes()
    lose(demo)
    said(capsys, 1, "plan")  # makes a key of its own
    assert "Would recover" in said(capsys, 0, "recover", "--dry-run")
    assert not (demo / ".stead" / "state.db").exists()
    assert "Recovered" in said(capsys, 0, "recover")
    assert recorded(demo) == whole
    assert (demo / ".stead" / "key").read_bytes() == key
    assert "Nothing to do" in said(capsys, 0, "plan", "--detailed-exitcode")
    assert "known from hosts alone" in said(capsys, 0, "runs")


def test_a_silent_host_is_asked_for_before_anything_is_planned(demo: Path, capsys: pytest.CaptureFixture[str]) -> None:
    whole = recorded(demo)
    lose(demo)
    main(["simulate", "down", "compute-2"])
    assert "STEAD-S028" in said(capsys, 2, "recover")
    assert "STEAD-S025" in said(capsys, 1, "plan")
    main(["simulate", "up", "compute-2"])
    assert "compute-2 answers now" in said(capsys, 1, "plan")
    said(capsys, 0, "recover")
    assert recorded(demo) == whole
    assert "Nothing to do" in said(capsys, 0, "plan", "--detailed-exitcode")


def test_a_host_that_never_comes_back_is_let_go_by_name(demo: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lose(demo)
    main(["simulate", "down", "compute-2"])
    data = json.loads(_json(capsys, 2, "recover", "--json"))
    assert data["unheard"] == ["compute-2"]
    said(capsys, 2, "recover", "--without", "compute-2")
    said(capsys, 0, "plan")


def _json(capsys: pytest.CaptureFixture[str], status: int, *words: str) -> str:
    capsys.readouterr()
    assert main(list(words)) == status
    return capsys.readouterr().out


def test_whoever_has_no_key_is_told(demo: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lose(demo)
    hosts(demo, "UPDATE origins SET key = ''")
    assert "STEAD-S034" in said(capsys, 2, "recover")


def test_where_nothing_ever_was_there_is_nothing_to_recover(demo: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lose(demo)
    for path in (demo / ".stead").glob("simulated.db*"):
        path.unlink()
    assert "STEAD-S033" in said(capsys, 1, "recover")


def test_a_directory_does_not_take_another_sites_store(demo: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for path in (demo / ".stead").glob("state.db*"):
        path.unlink()
    hosts(demo, "UPDATE origins SET site = 'other'")
    hosts(demo, "DELETE FROM besides")
    assert "STEAD-S005" in said(capsys, 1, "recover")
