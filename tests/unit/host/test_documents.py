"""What a host keeps of projects of the API, for as long as it has something of their site."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ansible_collections.stead.cloud.plugins.module_utils.host.base import ledger, paths
from ansible_collections.stead.cloud.plugins.module_utils.host.base.errors import Failed
from ansible_collections.stead.cloud.plugins.module_utils.host.run import batch, documents, origin

ORIGIN = {"site": "s", "serial": 3, "token": "t"}
WHOLE = {"revision": 5, "content": "c2VhbGVk"}
WORD = {"revision": 0, "content": ""}


@pytest.fixture(autouse=True)
def host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(paths, "ROOT", str(tmp_path))
    monkeypatch.setattr(paths, "JOURNAL", str(tmp_path / "journal"))
    monkeypatch.setattr(ledger, "LEDGER", str(tmp_path / "ledger"))
    monkeypatch.setattr(documents, "FOLDER", str(tmp_path / "documents"))
    monkeypatch.setattr(origin, "PATH", str(tmp_path / "site.json"))
    monkeypatch.setattr(origin, "KEY", str(tmp_path / "key"))
    return tmp_path


def tell(**told: Any) -> None:
    batch.Batch({"host": "h", "run": "r", "steps": [], "origin": ORIGIN, "documents": told}).carry_out()


def kept(site: str = "s") -> dict[str, Any]:
    return documents.kept(site, [])


def test_a_document_makes_a_host_one_of_the_site() -> None:
    tell(acme=WHOLE)
    assert kept() == {"acme": WHOLE}
    assert origin.read() == ORIGIN
    tell(acme=None)
    assert kept() == {}
    assert origin.read() is None


def test_the_word_alone_goes_with_the_last_resource(host: Path) -> None:
    (host / "ledger" / "volumes").mkdir(parents=True)
    (host / "ledger" / "volumes" / "u.json").write_text("{}")
    tell(acme=WORD)
    assert kept() == {"acme": WORD}
    (host / "ledger" / "volumes" / "u.json").unlink()
    tell()
    assert kept() == {}


def test_documents_of_a_site_that_was_left_count_no_more() -> None:
    documents.keep({"acme": WHOLE}, "another")
    assert kept() == {}


def test_a_document_that_cannot_be_read_is_told_and_its_project_is_the_apis(host: Path) -> None:
    documents.keep({"acme": WHOLE}, "s")
    (host / "documents" / "acme.json").write_text("{")
    unread: list[str] = []
    assert documents.kept("s", unread) == {"acme": WORD}
    assert "acme.json" in unread[0]


def test_nothing_is_written_under_a_name_that_leads_elsewhere(host: Path) -> None:
    with pytest.raises(Failed, match="STEAD-E022"):
        documents.keep({"../key": WHOLE}, "s")
    assert not (host / "key.json").exists()
