"""Every command, as someone new would call it wrongly: a message and status 1, JSON where JSON is asked for."""

from __future__ import annotations

import argparse
import importlib
import json
import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from stead.cli import COMMANDS, main

MACHINES = {"lab", "bootstrap", "doctor"}  # they would build a lab, or ask hosts
LINES = {"events"}  # each line is a document of JSON


def _foreign(path: Path) -> None:
    path.unlink()
    with sqlite3.connect(path) as other:
        other.execute("CREATE TABLE other (word)")
    other.close()


def _cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:5000])


def _changed(demo: Path, name: str, statement: str) -> None:
    with sqlite3.connect(demo / ".stead" / name) as db:
        db.execute(statement)
    db.close()


def _in_place_of(folder: Path) -> None:
    shutil.rmtree(folder)
    folder.write_text("x")


SPOILT: dict[str, Callable[[Path], object]] = {
    "no spec": lambda demo: (demo / "stead.yml").unlink(),
    "a spec that is no YAML": lambda demo: (demo / "stead.yml").write_text("stead: 1\nimages: ["),
    "a wrong spec": lambda demo: (demo / "stead.yml").write_text("stead: 1\nimages: {a: {sauce: b}}\n"),
    "an empty spec": lambda demo: (demo / "stead.yml").write_text(""),
    "no inventory": lambda demo: (demo / "inventory.yml").unlink(),
    "an inventory that is no YAML": lambda demo: (demo / "inventory.yml").write_text("all: ["),
    "an inventory nested beyond the parser": lambda demo: (demo / "inventory.yml").write_text("all: " + "[" * 100_000),
    "no store": lambda demo: shutil.rmtree(demo / ".stead"),
    "a store of another program's": lambda demo: _foreign(demo / ".stead" / "state.db"),
    "a store that is text": lambda demo: (demo / ".stead" / "state.db").write_text("hello"),
    "a store that was cut off": lambda demo: _cut(demo / ".stead" / "state.db"),
    "a store that does not say whose it is": lambda demo: _changed(demo, "state.db", "DELETE FROM meta"),
    "a store whose leases are no JSON": lambda demo: _changed(demo, "state.db", "UPDATE resources SET leases = '[1'"),
    "a store that lost what it refers to": lambda demo: _changed(demo, "state.db", "DELETE FROM bodies"),
    "simulated hosts without a table": lambda demo: _changed(demo, "simulated.db", "DROP TABLE hosts"),
    "a file in the place of .stead": lambda demo: _in_place_of(demo / ".stead"),
}


def _words(name: str) -> list[str]:
    words = {"explain": ["a/instances/b"], "console": ["a/instances/b"], "drain": ["nobody"], "simulate": ["show"]}
    words |= {"logs": ["a/instances/b"], "fence": ["compute-1"], "evacuate": ["compute-1"], "watch": ["--once"]}
    return words.get(name, [])


def _knows_json(name: str) -> bool:
    parser = argparse.ArgumentParser()
    importlib.import_module(f"stead.cli.commands.{name}").arguments(parser)
    return any("--json" in one.option_strings for one in parser._actions)


@pytest.mark.parametrize("spoilt", SPOILT)
@pytest.mark.parametrize("name", sorted(COMMANDS.keys() - MACHINES - {"init"}))
def test_whatever_is_wrong_is_told_and_json_stays_json(
    name: str, spoilt: str, demo: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("stead.serve.http.serve", lambda *_given: None)  # `stead serve` ends where it would begin
    SPOILT[spoilt](demo)
    words = ["list"] if name == "state" else _words(name)
    status = _status([name, *words])
    said = capsys.readouterr()
    assert status in (0, 1, 2)
    assert "Traceback" not in said.err
    if status == 1 and not said.out:
        assert said.err
        assert "error[" not in said.out
    if _knows_json(name):
        _status([name, *words, "--json"])
        found = _documents(capsys.readouterr().out)
        assert len(found) == 1 or name in LINES


def _documents(text: str) -> list[object]:
    found: list[object] = []
    while text := text.lstrip():
        one, end = json.JSONDecoder().raw_decode(text)
        found, text = [*found, one], text[end:]
    return found


def _status(arguments: list[str]) -> int:
    try:
        return main(arguments)
    except SystemExit as ending:
        return int(ending.code or 0)


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_an_unknown_option_is_refused_in_json_too(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert _status([name, "--no-such-option"]) == 1
    said = capsys.readouterr()
    assert not said.out
    assert said.err.startswith("error[STEAD-C002]")
    assert f"stead {name}" in said.err
    assert _status([name, "--no-such-option", "--json"]) == 1
    said = capsys.readouterr()
    assert json.loads(said.out)["diagnostics"][0]["code"] == "STEAD-C002"
    assert not said.err


@pytest.mark.usefixtures("demo")
@pytest.mark.parametrize(
    "arguments",
    [
        "plan -o /nowhere/x", "plan -o .", "plan -o /dev/full", "plan --target nothing", "plan --label x", "plan -e x",
        "plan -e nothing=1", "plan --var-file /", "plan --var-file /dev/null/x", "plan -s /nowhere", "plan --store /",
        "plan --store postgresql://[::1", "plan --store mysql://x", "plan --vault-password-file nothing",
        "apply nothing.plan", "apply stead.yml", "apply --parallel -1", "apply --parallel ²", "show nothing",
        "show web[²]", "show stead.yml", "explain a/b/c/d", "state show nothing", "state history nothing",
        "state mv nothing x", "state rm nothing", "state rm x/y/z[99999999999999999999]", "runs 99999999999999999999",
        "runs -n -1", "output nothing", "capacity --add ²xcompute-1", "capacity --add 99999999999xcompute-1",
        "capacity --survive -1", "capacity --without nothing", "drain nothing", "graph --kind nothing --format x",
        "fmt nothing.yml", "fmt --check /dev/null/x", "test nothing.test.yml", "test stead.yml", "validate nothing.yml",
        "validate /", "simulate down nothing", "simulate slow compute-1 -5", "simulate slow compute-1 nan",
        "simulate fail --times 0", "simulate fail --skip -1", "simulate drift acme/instances/db memory=much",
        "simulate drift acme/instances/db nothing=1", "simulate drift acme/instances/db nics=5",
        "completion tcsh", "schema nothing", "unlock nothing",
        "init demo -C /dev/null/x",
        f"plan -s {'x' * 5000}", f"plan -i {'x' * 5000}",
    ],
)  # fmt: skip
def test_a_wrong_argument_is_refused(arguments: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert _status(arguments.split()) == 1
    said = capsys.readouterr()
    assert said.err
    assert "Traceback" not in said.err
    assert "error[" not in said.out


def _run(*arguments: str, to: str) -> subprocess.CompletedProcess[str]:
    with Path(to).open("w") as out:
        return subprocess.run(
            [sys.executable, "-m", "stead", *arguments], stdout=out, stderr=subprocess.PIPE, text=True, check=False
        )


@pytest.mark.usefixtures("demo")
@pytest.mark.parametrize("arguments", [["plan", "--json"], ["show"], ["apply", "--auto-approve"], ["validate"]])
def test_a_full_disk_behind_the_output_is_told(arguments: list[str]) -> None:
    done = _run(*arguments, to="/dev/full")
    assert done.returncode == 1
    assert "STEAD-C003" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.usefixtures("demo")
def test_a_reader_who_leaves_stops_no_apply(demo: Path) -> None:
    shutil.rmtree(demo / ".stead")
    read, write = os.pipe()
    os.close(read)
    done = subprocess.run(
        [sys.executable, "-m", "stead", "apply", "--auto-approve"],
        stdout=write, stderr=subprocess.PIPE, text=True, check=False,
    )  # fmt: skip
    os.close(write)
    assert done.returncode == 0, done.stderr
    assert main(["plan", "--detailed-exitcode", "--quiet"]) == 0
