"""What holds for every command: help with examples and exit statuses, no traceback, nothing heavy at start."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from jsonschema import Draft202012Validator

from stead.cli import COMMANDS, main

CLI = Path(__file__).parents[3] / "src" / "stead" / "cli" / "commands"
WRITTEN = sorted(name for name in COMMANDS if (CLI / f"{name}.py").exists())
HEAVY = {
    "ansible", "cryptography", "jinja2", "jsonschema", "numpy", "psycopg", "rich", "ruamel.yaml", "argcomplete",
    "importlib.metadata", "asyncio", "http", "xml", "unittest",
}  # fmt: skip


@pytest.fixture
def demo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for name in ("STEAD_STORE", "STEAD_STORE_KEY"):
        monkeypatch.delenv(name, raising=False)
    assert main(["init", "demo"]) == 0
    monkeypatch.chdir(tmp_path / "demo")
    return tmp_path / "demo"


@pytest.mark.parametrize("name", ["demo", "site", "--here"])
def test_editors_find_a_schema_that_knows_what_was_written(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["init", name, "-C", "."]) == 0
    text = Path("stead.yml").read_text(encoding="utf-8")
    found = Path(text.splitlines()[0].removeprefix("# yaml-language-server: $schema="))
    known = Draft202012Validator(json.loads(found.read_text(encoding="utf-8")))
    assert list(known.iter_errors(yaml.safe_load(text))) == []
    assert list(known.iter_errors({"stead": 1, "project": {}})) != []
    assert Path(".stead/.gitignore").read_text(encoding="utf-8") == "*\n"


@pytest.mark.parametrize("name", WRITTEN)
def test_help_shows_examples(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ending:
        main([name, "--help"])
    assert ending.value.code == 0
    assert f"stead {name}" in capsys.readouterr().out.partition("\n\n")[2]


def test_the_commands_that_everyone_expects_are_there() -> None:
    wanted = (
        "init validate fmt plan apply destroy show output graph explain diff drift state lock unlock schema version"
    )
    assert {*wanted.split(), "completion", "test"} <= set(WRITTEN)


@pytest.mark.parametrize("word", ["plam", "-x", ""])
def test_an_unknown_command_is_refused_and_the_nearest_named(word: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([word]) == 1
    told = capsys.readouterr().err
    assert "STEAD-C001" in told
    assert word != "plam" or "`plan`" in told


def test_without_a_command_the_commands_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 1
    assert all(name in capsys.readouterr().out for name in ["plan"])
    assert main(["--help"]) == 0


def test_refusals_are_json_when_json_is_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["plan", "--json"]) == 1
    assert json.loads(capsys.readouterr().out)["diagnostics"][0]["code"].startswith("STEAD-")


@pytest.mark.usefixtures("demo")
@pytest.mark.parametrize(
    "words",
    ["plan", "show", "output", "diff", "drift", "graph", "version", "apply --auto-approve", "show acme/instances/db"],
)
def test_every_command_speaks_json(words: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["apply", "-q", "--auto-approve"]) == 0
    capsys.readouterr()
    assert main([*words.split(), "--json"]) == 0
    assert json.loads(capsys.readouterr().out) is not None


@pytest.mark.usefixtures("demo")
def test_colour_is_for_people_who_want_it(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert main(["plan"]) == 0
    assert "\033[" in capsys.readouterr().out
    monkeypatch.setenv("NO_COLOR", "1")
    assert main(["plan"]) == 0
    assert "\033[" not in capsys.readouterr().out


def test_a_mistake_in_options_is_not_taken_for_changes() -> None:
    with pytest.raises(SystemExit) as ending:
        main(["plan", "--detailed-exitcode", "--no-such-option"])
    assert ending.value.code == 1


@pytest.mark.usefixtures("demo")
def test_json_is_no_consent(capsys: pytest.CaptureFixture[str]) -> None:
    capsys.readouterr()
    assert main(["apply", "--json"]) == 1
    assert json.loads(capsys.readouterr().out)["diagnostics"][0]["code"] == "STEAD-C030"
    assert main(["plan", "-q", "--detailed-exitcode"]) == 2


@pytest.mark.usefixtures("demo")
def test_exit_statuses_are_those_of_the_help(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["plan", "-q", "-detailed-exitcode"]) == 2
    assert main(["apply", "-q", "--auto-approve"]) == 0
    assert main(["plan", "-q", "--detailed-exitcode"]) == 0
    assert main(["diff", "-q", "--detailed-exitcode"]) == 0
    assert main(["drift", "-q"]) == 0
    assert main(["destroy", "-q", "--auto-approve"]) == 1
    assert "STEAD-C031" in capsys.readouterr().err


def test_planning_imports_nothing_that_is_slow(tmp_path: Path) -> None:
    """Where a spec has no expressions. Names of modules, not times: this fails on any machine or on none."""
    small = Path(__file__).parents[3] / "examples" / "small"
    code = (
        "import sys; from stead.cli import main; main(['plan', '-q', '-s', sys.argv[1], '--store', sys.argv[2]]); "
        "print('\\n'.join(sys.modules))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(small), str(tmp_path / "state.db")],
        capture_output=True,
        text=True,
        check=True,
        cwd=tmp_path,
    )
    loaded = set(done.stdout.split())
    assert "stead.plan.planner" in loaded
    assert not {name for name in HEAVY if any(one == name or one.startswith(f"{name}.") for one in loaded)}


def test_ctrl_c_finishes_what_runs_and_says_how_to_go_on(demo: Path) -> None:
    environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
    command = [sys.executable, "-m", "stead"]
    assert main(["plan", "-q"]) == 0
    for host in ("compute-1", "network-1"):
        assert main(["simulate", "slow", host, "2"]) == 0
    run = subprocess.Popen(
        [*command, "apply", "--auto-approve"],
        cwd=demo,
        env=environment,
        stderr=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert run.stderr is not None
    for line in run.stderr:
        if line.startswith("wave 1"):
            break
    run.send_signal(signal.SIGINT)
    out, err = run.communicate(timeout=60)
    assert run.returncode == 130, err
    assert "Stopping" in err
    assert "Run `stead apply` again to continue" in out
    assert main(["apply", "-q", "--auto-approve"]) == 0
    assert main(["plan", "-q", "--detailed-exitcode"]) == 0


def test_the_manual_names_every_command() -> None:
    manual = (Path(__file__).parents[3] / "docs" / "cli.md").read_text()
    table = manual.partition("## Where things are")[0]
    assert not [name for name in COMMANDS if f"`{name}`" not in table]
