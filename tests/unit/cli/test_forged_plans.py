"""A plan file is what its inputs give, or it is not done: whoever can write the file decides nothing by it."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Sequence
from contextlib import closing
from hashlib import blake2b
from pathlib import Path
from typing import Any

import pytest

from stead.cli import main
from stead.core.want import digest

FILE = "it.plan"
Lines = list[dict[str, Any]]


def planned(*options: str) -> Path:
    assert main(["plan", "--quiet", "-o", FILE, *options]) == 0
    return Path(FILE)


def forge(path: Path, change: Callable[[Lines], object]) -> None:
    """As somebody does who knows the form: checksum and all."""
    lines = [json.loads(line) for line in path.read_text().splitlines()][:-1]
    change(lines)
    content = b"".join(json.dumps(line, separators=(",", ":"), ensure_ascii=False).encode() + b"\n" for line in lines)
    end = {"checksum": blake2b(content, digest_size=16).hexdigest()}
    path.write_bytes(content + json.dumps(end).encode() + b"\n")


def hosts(site: Path) -> list[str]:
    """What the simulated hosts have. The bytes of the file also change when SQLite moves its log into it."""
    with closing(sqlite3.connect(site / ".stead" / "simulated.db")) as db:
        return list(db.iterdump())


def a_changed_body(lines: Lines) -> None:
    """With its digest, and those of all wants that have it."""
    bodies = [line for line in lines if "body" in line]
    at, body = next((at, line) for at, line in enumerate(bodies) if '"vcpus":1' in line["body"][1])
    text = body["body"][1].replace('"vcpus":1', '"vcpus":7')
    body["body"] = [digest(text), text]
    for step in (step for line in lines[1:] for step in line.get("steps", ())):
        for want in (step[4], step[5]):
            if want is not None and want[0] == at:
                want[2] = digest(digest(text), want[1])


def another_host(lines: Lines) -> None:
    step = next(step for line in lines[1:] for step in line.get("steps", ()) if "/instances/" in step[1])
    step[2] = "compute-4"


def another_reason(lines: Lines) -> None:
    """What a reviewer reads is what is done for that reason, or it is not done."""
    step = next(step for line in lines[1:] for step in line.get("steps", ()) if step[7])
    step[7][0][1] = "harmless"


def another_wish(lines: Lines) -> None:
    lines[0]["made"]["asked"] = '{"destroy":true}'


def nonsense_for_a_wish(lines: Lines) -> None:
    lines[0]["made"]["asked"] = "[1]"


def a_wish_that_is_too_deep(lines: Lines) -> None:
    lines[0]["made"]["asked"] = "[" * 100_000


UNREADABLE = (nonsense_for_a_wish, a_wish_that_is_too_deep)


@pytest.fixture
def changed(demo: Path) -> Path:
    """The demo, applied, and then changed in its spec: something is to be done."""
    spec = demo / "stead.yml"
    spec.write_text(spec.read_text().replace("count: 3", "count: 4"))
    return demo


@pytest.mark.parametrize("change", [a_changed_body, another_host, another_reason, another_wish, *UNREADABLE])
def test_a_plan_that_its_inputs_do_not_give_is_not_done(
    changed: Path, capsys: pytest.CaptureFixture[str], change: Callable[[Lines], object]
) -> None:
    path = planned()
    before = hosts(changed)
    forge(path, change)
    assert main(["apply", FILE]) == 1
    code = "STEAD-C011" if change in UNREADABLE else "STEAD-A003"
    assert code in capsys.readouterr().err
    assert hosts(changed) == before


@pytest.mark.usefixtures("changed")
def test_a_body_that_is_not_what_its_digest_says_is_damage(capsys: pytest.CaptureFixture[str]) -> None:
    def change(lines: Lines) -> None:
        body = next(line for line in lines if "body" in line)["body"]
        body[1] = body[1].replace("1", "2")

    forge(planned(), change)
    for command in (["apply", FILE], ["show", FILE]):
        assert main(command) == 1
        assert "STEAD-X022" in capsys.readouterr().err


WISHES: Sequence[Sequence[str]] = (
    ["--target", "acme/instances/web[3]"],
    ["--exclude", "acme/instances/web[3]"],
    ["--project", "acme"],
    ["--replace", "acme/instances/web[0]"],
    ["--rebuild", "acme/instances/proxy"],
    ["--destroy"],
)


@pytest.mark.parametrize("options", WISHES, ids=" ".join)
@pytest.mark.usefixtures("changed")
def test_what_a_person_asked_for_is_asked_again(options: Sequence[str]) -> None:
    planned(*options)
    assert main(["apply", "--quiet", "--max-disruption", "data-loss", FILE]) == 0


@pytest.mark.parametrize("command", [["drain", "compute-2"], ["rebalance", "--minimum-gain", "1"]])
@pytest.mark.usefixtures("demo")
def test_moves_that_were_planned_are_planned_again(command: Sequence[str]) -> None:
    assert main([*command, "--quiet", "-o", FILE]) == 0
    assert main(["apply", "--quiet", FILE]) == 0


def test_two_processes_make_the_same_file(changed: Path) -> None:
    """Whatever order their sets have."""
    files = []
    for seed in ("1", "2"):
        command = [sys.executable, "-m", "stead", "plan", "--quiet", "-o", f"{seed}.plan"]
        subprocess.run(command, check=True, cwd=changed, env={**os.environ, "PYTHONHASHSEED": seed})
        files.append((changed / f"{seed}.plan").read_bytes())
    assert files[0] == files[1]


def test_where_a_spec_is_read_from_makes_no_difference(changed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = planned().resolve()
    monkeypatch.chdir(changed.parent)
    assert main(["apply", "--quiet", "-s", "demo", str(path)]) == 0


def test_with_a_key_only_what_is_signed_with_it_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("STEAD_STORE_KEY", "a" * 64)
    assert main(["init", "demo"]) == 0
    monkeypatch.chdir(tmp_path / "demo")
    path = planned()
    signed = path.read_bytes()
    assert main(["show", "--quiet", FILE]) == 0
    capsys.readouterr()

    forge(path, lambda _lines: None)
    for command in (["show", FILE], ["apply", FILE]):
        assert main(command) == 1
        assert "STEAD-X025" in capsys.readouterr().err

    path.write_bytes(signed)
    monkeypatch.setenv("STEAD_STORE_KEY", "b" * 64)
    assert main(["show", FILE]) == 1
    assert "STEAD-X025" in capsys.readouterr().err
    monkeypatch.delenv("STEAD_STORE_KEY")
    assert main(["show", "--quiet", FILE]) == 0  # who has no key reads it all the same

    monkeypatch.setenv("STEAD_STORE_KEY", "a" * 64)
    assert main(["apply", "--quiet", FILE]) == 0


@pytest.mark.parametrize("name", ["inventory.yml", "group_vars/all.yml", "host_vars/compute-1.yml"])
def test_a_plan_is_of_the_inventory_that_was_read(demo: Path, name: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Also where nothing of a host that a plan shows has changed: how one is reached decides what runs here."""
    (demo / "group_vars").mkdir()
    (demo / "group_vars" / "all.yml").write_text("a: 1\n")
    planned()
    (demo / name).parent.mkdir(exist_ok=True)
    with (demo / name).open("a") as file:
        file.write("\n# ssh\n")
    assert main(["apply", FILE]) == 1
    told = capsys.readouterr().err
    assert "STEAD-A001" in told
    assert "The inventory has changed since" in " ".join(told.split())
