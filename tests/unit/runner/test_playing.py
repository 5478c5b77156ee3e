"""Plays of ansible-playbook on this machine: how they end, what they leave, what becomes of one that is given up."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from stead.runner.ansible_process import Playing
from stead.site.inventory import read_inventory

HEAD = "- {hosts: localhost, connection: local, gather_facts: false, tasks: [%s]}\n"


def playing(folder: Path, task: str) -> Playing:
    book = folder / "book.yml"
    book.write_text(HEAD % task, encoding="utf-8")
    return Playing(["--inventory", "localhost,", str(book)], folder / "ansible.log")


def interrupted_once(begun: Path) -> None:
    until = time.monotonic() + 60
    while not begun.exists():
        assert time.monotonic() < until
        time.sleep(0.05)
    raise KeyboardInterrupt


def test_the_end_of_a_play_is_its_status_and_its_last_words(tmp_path: Path) -> None:
    with playing(tmp_path, "{debug: {msg: one}}") as play:
        assert play.wait().status == 0
    with playing(tmp_path, "{fail: {msg: the reason}}") as play:
        ended = play.wait()
    assert ended.status == 2
    assert "the reason" in ended.last_words
    assert '"msg": "one"' in (tmp_path / "ansible.log").read_text(encoding="utf-8")
    assert play.ended() == ended


def test_plays_at_once_end_one_by_one(tmp_path: Path) -> None:
    for name in ("slow", "quick"):
        (tmp_path / name).mkdir()
    with playing(tmp_path / "slow", f"{{wait_for: {{path: {tmp_path / 'go'}, sleep: 1}}}}") as slow:
        with playing(tmp_path / "quick", "{debug: }") as quick:
            assert quick.wait().status == 0
        assert slow.ended() is None
        (tmp_path / "go").touch()
        assert slow.wait().status == 0


def test_one_that_is_given_up_is_ended_and_others_play_on(tmp_path: Path) -> None:
    begun = tmp_path / "begun"
    task = f"{{command: sh -c 'touch {begun}; exec sleep 600'}}"
    play = playing(tmp_path, task)
    with pytest.raises(KeyboardInterrupt), play:
        interrupted_once(begun)
    assert (ended := play.ended()) is not None
    assert ended.status < 0
    with playing(tmp_path, "{debug: }") as play:
        assert play.wait().status == 0


def test_what_a_play_packs_for_hosts_is_packed_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANSIBLE_LOCAL_TEMP", str(tmp_path / "own"))
    packed = []
    for _ in range(2):
        with playing(tmp_path, "{ping: }") as play:
            assert play.wait().status == 0
        packed.append({path: path.stat().st_ino for path in (tmp_path / "own").rglob("*ping*") if path.is_file()})
    assert packed[0]
    assert packed[0] == packed[1]


EVIL = "from pathlib import Path\nPath({path!r}).touch()\n"


@pytest.fixture
def beside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A directory with settings that name a plugin, in which commands run. Returns what the plugin would make."""
    monkeypatch.delenv("ANSIBLE_CONFIG", raising=False)
    monkeypatch.chdir(tmp_path)
    for folder in ("callback", "inventory"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "evil.py").write_text(EVIL.format(path=str(tmp_path / "ran")))
    (tmp_path / "ansible.cfg").write_text(
        "[defaults]\ncallback_plugins = ./callback\ncallbacks_enabled = evil\ninventory_plugins = ./inventory\n"
        "[inventory]\nenable_plugins = evil, ini\n"
    )
    return tmp_path / "ran"


def test_settings_beside_the_spec_are_not_read(beside: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with playing(beside.parent, "{debug: {msg: one}}") as play:
        assert play.wait().status == 0
    inventory = beside.parent / "inventory.ini"
    inventory.write_text("[compute]\nc1\n")
    assert "c1" in read_inventory([inventory])[0].hosts
    assert not beside.exists()

    monkeypatch.setenv("ANSIBLE_CONFIG", str(beside.parent / "ansible.cfg"))  # the site asks for it
    read_inventory([inventory])
    assert beside.exists()
