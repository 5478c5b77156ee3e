"""What a host may start after a boot: that is for the other hosts to say, and for none of them alone."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.stead.cloud.plugins.module_utils.host.base import ledger, paths, ssh_peers
from ansible_collections.stead.cloud.plugins.module_utils.host.base.errors import Failed
from ansible_collections.stead.cloud.plugins.module_utils.host.base.kind import nothing
from ansible_collections.stead.cloud.plugins.module_utils.host.base.step import Origin
from ansible_collections.stead.cloud.plugins.module_utils.host.kinds import table
from ansible_collections.stead.cloud.plugins.module_utils.host.run import booting, fences, origin, restoring, witnesses

SITE: Origin = {"site": "s", "serial": 7, "token": "t"}
NOBODY: dict[str, Any] = {"site": "s", "dead": {}}
ME_DEAD: dict[str, Any] = {"site": "s", "dead": {"me": 9}}


@pytest.fixture(autouse=True)
def host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """One with two others, that was written to by run 7 last."""
    monkeypatch.setattr(paths, "ROOT", str(tmp_path))
    monkeypatch.setattr(paths, "LOCK", str(tmp_path / "lock"))
    monkeypatch.setattr(ledger, "LEDGER", str(tmp_path / "ledger"))
    monkeypatch.setattr(origin, "PATH", str(tmp_path / "site.json"))
    monkeypatch.setattr(booting, "STATE", str(tmp_path / "boot.json"))
    monkeypatch.setattr(booting, "WITNESS", ssh_peers.Peers(str(tmp_path / "witness"), "w", "restrict"))
    paths.write(str(tmp_path / "host.json"), json.dumps({"host": "me"}))
    ways = {name: {"addresses": [name], "port": 22} for name in ("me", "a", "b")}
    paths.write(str(tmp_path / "witness" / "members.json"), json.dumps(ways))
    paths.write(origin.PATH, json.dumps(SITE))
    return tmp_path


@pytest.mark.parametrize(
    ("answers", "below"),
    [
        ({"a": NOBODY, "b": NOBODY}, 0),
        ({"a": NOBODY, "b": ME_DEAD}, 9),
        ({"a": NOBODY, "b": None}, None),  # b may be the one that knows
        ({"a": None, "b": None}, None),
        ({"a": NOBODY, "b": NOBODY, "c": None}, 0),
        ({"a": NOBODY, "b": None, "c": None}, None),
        # Who is silent and was called dead has no vote: whoever heard that heard all that was said before.
        ({"a": {"site": "s", "dead": {"b": 8}}, "b": None}, 0),
        ({"a": {"site": "s", "dead": {"b": 8, "me": 6}}, "b": None}, 6),
        ({"a": {"site": "another", "dead": {"me": 9}}, "b": NOBODY}, 0),
    ],
)
def test_more_than_half_of_the_others_have_to_say_so(answers: dict[str, Any], below: int | None) -> None:
    assert witnesses.judged(answers, "me", "s") == below


def test_until_they_do_all_of_before_the_boot_is_held_and_nothing_that_an_apply_made_since() -> None:
    assert booting.is_held({"serial": 7})
    assert booting.is_held({})  # of an older Stead
    assert not booting.is_held({"serial": 8})


@pytest.mark.parametrize("lacks", ["witness/members.json", "site.json"])
def test_a_host_of_no_site_and_one_that_is_alone_hold_nothing(host: Path, lacks: str) -> None:
    (host / lacks).unlink()
    assert not booting.is_held({"serial": 7})
    assert not booting.is_held({})


def test_a_host_that_cannot_read_whose_it_is_holds_everything(host: Path) -> None:
    (host / "site.json").write_text("{")
    assert booting.is_held({"serial": 70})


def test_what_was_said_is_remembered_until_the_next_boot(monkeypatch: pytest.MonkeyPatch) -> None:
    rounds = iter([{"a": NOBODY, "b": None}, {"a": NOBODY, "b": ME_DEAD}])
    monkeypatch.setattr(booting, "asked", lambda _ways: next(rounds))
    monkeypatch.setattr(booting, "PAUSE", 0)
    booting.wait_for_witnesses()
    booting.wait_for_witnesses()  # asks nobody again
    assert booting.is_held({"serial": 8})
    assert not booting.is_held({"serial": 9})


def test_a_word_stays_and_a_later_one_counts() -> None:
    fences.note(["me"], SITE)
    fences.note(["c"], {**SITE, "serial": 8})
    fences.note([], {**SITE, "serial": 9})
    assert fences.read() == {"site": "s", "dead": {"me": 7, "c": 8}}
    fences.note(["me"], {**SITE, "site": "another"})
    assert fences.read() == {"site": "another", "dead": {"me": 7}}


def test_a_witness_that_cannot_read_its_words_bears_none(host: Path) -> None:
    (host / "fences.json").write_text("{")
    assert fences.main() == 1


def test_who_started_and_was_shut_down_since_is_let_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """While another waits for its storage, for days perhaps."""
    tried: list[str] = []

    class Code:
        @staticmethod
        def restore(step: Any, _work: Any) -> None:
            tried.append(step["uuid"])
            if step["uuid"] == "0b" and tried.count("0b") < 3:
                raise Failed("its pool does not answer")

    instance = table.KINDS["instances"]._replace(guard=nothing)
    monkeypatch.setattr(booting, "AGAIN", 0)
    monkeypatch.setattr(booting, "asked", lambda _ways: {"a": NOBODY, "b": NOBODY})
    monkeypatch.setitem(table.KINDS, "instances", instance._replace(restore=Code.restore))
    for uuid in ("0a", "0b"):
        ledger.keep(ledger.entry(f"acme/instances/{uuid}", uuid, "instances", "d", {"uuid": uuid}))
    assert booting.main() == 0
    assert tried == ["0a", "0b", "0b", "0b"]


def test_only_what_is_held_is_told_so(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: dict[str, tuple[bool, bool]] = {}

    class Code:
        @staticmethod
        def restore(step: Any, _work: Any) -> None:
            seen[step["address"]] = (step["held"], step["start"])

    monkeypatch.setitem(table.KINDS, "routers", table.KINDS["routers"]._replace(restore=Code.restore))
    for uuid, serial in (("0a", 7), ("0b", 8)):
        made = ledger.entry(f"acme/routers/{uuid}", uuid, "routers", "d", {"uuid": uuid})
        ledger.keep({**made, "serial": serial})
    assert restoring.restore(("routers",), start=True) == []
    assert seen == {"acme/routers/0a": (True, True), "acme/routers/0b": (False, True)}
