"""What controllers share: made once, taken by the others, and given back to one that lost it."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.stead.cloud.plugins.module_utils.host.base.errors import Failed
from ansible_collections.stead.cloud.plugins.module_utils.host.base.work import Work
from ansible_collections.stead.cloud.plugins.module_utils.host.prepare import certificates, shared_secrets


@pytest.fixture
def on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A controller, by its name."""
    monkeypatch.setattr(certificates, "give", lambda *_words: None)

    def share(name: str, content: Any = None, *, check: bool = False) -> dict[str, Any]:
        home = tmp_path / "host"
        monkeypatch.setattr(shared_secrets, "KEY", str(home / "key"))
        folders = {str(home / "store"): "Stead store", str(home / "api"): "Stead API"}
        monkeypatch.setattr(shared_secrets, "AUTHORITIES", folders)
        kept = tmp_path / name
        if kept.exists():
            shutil.copytree(kept, home)
        try:
            return shared_secrets.share({"content": content or {}}, Work("", check=check))
        finally:
            if home.exists():
                shutil.rmtree(kept, ignore_errors=True)
                home.rename(kept)

    return share


def test_the_others_take_what_one_has(on: Any) -> None:
    first, second = on("a"), on("b")
    assert (first["made"], second["made"]) == (True, True)
    assert first["content"] != second["content"]
    assert on("b", first["content"])["content"] == first["content"]
    again = on("b")
    assert (again["made"], again["content"]) == (False, first["content"])


def test_one_that_is_made_anew_has_nothing_to_give(on: Any) -> None:
    first = on("a")
    assert on("a")["made"] is False
    assert on("c")["made"] is True
    assert on("c", first["content"])["content"] == first["content"]


def test_half_of_it_is_not_taken(on: Any) -> None:
    content = on("a")["content"]
    for wrong in ({**content, "/etc/passwd": "x"}, dict(list(content.items())[1:]), dict.fromkeys(content, "")):
        with pytest.raises(Failed, match="STEAD-E026"):
            on("b", wrong)


def test_a_rehearsal_makes_nothing(on: Any, tmp_path: Path) -> None:
    on("a", check=True)
    assert not (tmp_path / "a" / "key").exists()
