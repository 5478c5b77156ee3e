"""A store that lost the documents of the API destroys nothing of their projects, and gets them back from the hosts."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from tests.serve.served import INVENTORY, workspace_at, write_site

from stead.cli import main
from stead.cli.common.serving import means
from stead.serve.begin import begun
from stead.serve.cloud import Cloud, Means
from stead.serve.edits import Content, Who, all_of, put
from stead.serve.worker import Worker
from stead.store import open_store

CONTROLLER = "    controller: {hosts: {controller-1: }}\n"
HAS: Mapping[str, Mapping[str, Any]] = {
    "networks": {"app": {"subnets": {"v4": {"cidr": "10.20.0.0/24"}}}},
    "volumes": {"data": {"size": "1GiB"}},
    "instances": {"web": {"flavor": "tiny", "image": "cirros", "networks": ["app"], "volumes": ["data"]}},
}
FILES = """
stead: 1
projects:
  bobs:
    networks: {app: {subnets: {v4: {cidr: 10.20.0.0/24}}}}
    volumes: {data: {size: 1GiB}}
    instances: {web: {flavor: tiny, image: cirros, networks: [app], volumes: [data]}}
"""
Ask = Callable[..., str]


def served(folder: Path, change: Callable[[Cloud], object]) -> None:
    """One start of `stead serve`, in which this is asked and applied."""
    ready: Means = means(workspace_at(folder))
    cloud = Cloud(ready)
    worker = Worker(cloud)
    worker.start()
    change(cloud)
    assert worker.wait_idle(30)
    worker.stop()


def with_bobs(cloud: Cloud) -> None:
    begun(cloud, Who("tests", ""), "bobs")
    edits = [
        lambda content, kind=kind, key=key, one=one: put(content, kind, key, one)
        for kind, entries in HAS.items()
        for key, one in entries.items()
    ]
    cloud.edit("bobs", Who("tests", ""), "tests", all_of(*edits))


def more(content: Content) -> Content:
    return put(content, "volumes", "more", {"size": "1GiB"})


@pytest.fixture
def site(tmp_path: Path, request: pytest.FixtureRequest) -> Path:
    found = write_site(tmp_path)
    (found / "inventory.yml").write_text(INVENTORY + getattr(request, "param", CONTROLLER), encoding="utf-8")
    served(found, with_bobs)
    return found


@pytest.fixture
def ask(site: Path, capsys: pytest.CaptureFixture[str]) -> Ask:
    def asked(status: int, *words: str) -> str:
        capsys.readouterr()
        assert main([words[0], "-s", str(site), *words[1:]]) == status
        told = capsys.readouterr()
        return " ".join((told.out + told.err).split())

    return asked


def lose(site: Path, *, key: bool = False) -> None:
    for path in (site / ".stead").iterdir():
        if path.is_file() and not path.name.startswith("simulated.db") and (key or path.name != "key"):
            path.unlink()


def run(site: Path, database: str, statement: str) -> list[tuple[str, ...]]:
    with closing(sqlite3.connect(site / ".stead" / database)) as db, db:
        return db.execute(statement).fetchall()


without_controller = pytest.mark.parametrize("site", [""], indirect=True)


def test_recovery_brings_documents_back(site: Path, ask: Ask) -> None:
    before = open_store("", directory=site / ".stead").documents()["bobs"]
    lose(site, key=True)
    assert "STEAD-S022" in ask(1, "plan")
    assert "STEAD-S037" not in ask(0, "recover", "--dry-run")
    ask(0, "recover")
    after = open_store("", directory=site / ".stead").documents()["bobs"]
    assert (after.content, after.about, after.revision) == (before.content, before.about, before.revision)
    ask(0, "apply", "--auto-approve", "--project", "files")  # nobody had asked for what files say
    assert "Nothing to do" in ask(0, "plan", "--detailed-exitcode", "--project", "bobs")
    served(site, lambda cloud: cloud.edit("bobs", Who("tests", ""), "tests", more))
    assert "Nothing to do" in ask(0, "plan", "--detailed-exitcode", "--project", "bobs")


def test_documents_on_hosts_are_sealed(site: Path) -> None:
    kept = run(site, "simulated.db", "SELECT host, revision, content FROM documents WHERE project = 'bobs'")
    assert {host: bool(revision) for host, revision, _ in kept} == {
        "controller-1": True,
        "compute-1": False,
        "network-1": False,
    }
    assert all(bool(content) is bool(revision) for _, revision, content in kept)
    assert all("cirros" not in content for *_, content in kept)


def test_nothing_is_planned_without_the_document(site: Path, ask: Ask) -> None:
    run(site, "state.db", "DELETE FROM documents")
    for words in (["plan"], ["apply", "--auto-approve", "--max-disruption", "data-loss"], ["drain", "compute-1"]):
        told = ask(1, *words)
        assert "STEAD-S037" in told
        assert "stead destroy --project bobs" in told
    ask(0, "recover", "--merge")
    assert "Nothing to do" in ask(0, "plan", "--detailed-exitcode", "--project", "bobs")


@without_controller
def test_what_nobody_has_kept_is_told_and_spared(site: Path, ask: Ask) -> None:
    lose(site)
    assert "STEAD-S038" in ask(2, "recover")
    assert "STEAD-S037" in ask(1, "plan")
    assert "STEAD-S037" in ask(1, "apply", "--auto-approve", "--max-disruption", "data-loss")


@without_controller
def test_a_project_without_its_document_can_be_handed_to_files(site: Path, ask: Ask) -> None:
    lose(site)
    ask(2, "recover")
    (site / "bobs.yml").write_text(FILES, encoding="utf-8")
    planned = json.loads(ask(0, "plan", "--json", "--project", "bobs"))
    gone = {one["address"] for one in planned["steps"] if one["action"] == "destroy"}
    assert gone <= {"bobs/security_groups/default"}  # which the files above do not have
    ask(0, "apply", "--auto-approve")
    assert run(site, "simulated.db", "SELECT host FROM documents") == []
    (site / "bobs.yml").unlink()
    assert "destroy" in ask(0, "plan")


@without_controller
def test_a_project_without_its_document_can_be_destroyed(site: Path, ask: Ask) -> None:
    lose(site)
    ask(2, "recover")
    ask(0, "destroy", "--auto-approve", "--max-disruption", "data-loss", "--project", "bobs")
    assert "STEAD-S037" not in ask(0, "plan")


def test_what_ends_through_the_api_is_kept_nowhere(site: Path, ask: Ask) -> None:
    served(site, lambda cloud: cloud.end("bobs", Who("tests", "")))
    assert run(site, "simulated.db", "SELECT host FROM documents") == []
    assert "bobs" not in ask(0, "plan")


def test_a_host_cannot_make_up_a_document(site: Path, ask: Ask) -> None:
    whole = "SELECT 'compute-1', project, revision + 1, content FROM documents WHERE revision > 0"
    run(site, "simulated.db", f"INSERT OR REPLACE INTO documents {whole}")
    run(site, "simulated.db", "INSERT OR REPLACE INTO documents VALUES ('network-1', 'bobs', 99, 'eA==')")
    before = open_store("", directory=site / ".stead").documents()["bobs"]
    lose(site)
    ask(0, "recover")
    assert open_store("", directory=site / ".stead").documents()["bobs"].content == before.content


def test_a_document_of_another_key_is_not_taken(site: Path, ask: Ask) -> None:
    run(site, "simulated.db", "UPDATE origins SET key = hex(randomblob(32))")
    lose(site, key=True)
    assert "STEAD-S038" in ask(2, "recover")
    assert "STEAD-S037" in ask(1, "plan")
