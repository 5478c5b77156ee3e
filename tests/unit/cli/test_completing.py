"""What the shells are offered."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from stead.cli import COMMANDS, main
from stead.cli.commands.completion import SCRIPTS


@pytest.fixture
def demo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("STEAD_STORE", raising=False)
    assert main(["init", "demo"]) == 0
    monkeypatch.chdir(tmp_path / "demo")
    return tmp_path / "demo"


def offered(line: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> list[str]:
    capsys.readouterr()
    monkeypatch.setenv("STEAD_COMPLETE", line)
    assert main(["completion", "--words"]) == 0
    return capsys.readouterr().out.split()


@pytest.mark.usefixtures("demo")
def test_commands_options_values_and_addresses_are_offered(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def of(line: str) -> list[str]:
        return offered(line, monkeypatch, capsys)

    assert set(of("stead ")) == set(COMMANDS)
    assert of("stead pl") == ["plan"]
    assert "--max-disruption" in of("stead plan --")
    assert of("stead plan --max-disruption re") == ["reboot", "rebuild"]
    assert of("stead plan --target acme/instances/web[") == [f"acme/instances/web[{n}]" for n in range(3)]
    assert of("stead show acme/rou") == ["acme/routers/edge"]
    assert of("stead completion ") == ["bash", "fish", "zsh"]
    assert of("stead nonsense --") == []


def test_a_broken_spec_does_not_disturb_someone_who_types(
    demo: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (demo / "stead.yml").write_text("projects: [\n")
    assert offered("stead plan --target acme", monkeypatch, capsys) == []


@pytest.mark.usefixtures("demo")
def test_every_command_can_be_completed(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    written = [name for name in COMMANDS if (Path(__file__).parents[3] / f"src/stead/cli/commands/{name}.py").exists()]
    assert len(written) > 15
    for name in written:
        assert "--help" in offered(f"stead {name} --", monkeypatch, capsys)


@pytest.mark.parametrize("shell", sorted(SCRIPTS))
def test_there_is_a_script_for_each_shell(shell: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["completion", shell]) == 0
    assert "stead completion --words" in capsys.readouterr().out


def test_bash_takes_the_script_and_completes_words_with_colons_and_equals_signs(tmp_path: Path) -> None:
    (tmp_path / "stead").write_text("#!/bin/sh\nprintf '%s\\n' plan 'a:b=c' 'web[0]'\n")
    (tmp_path / "stead").chmod(0o755)
    script = SCRIPTS["bash"] + 'COMP_LINE="stead a:b="; COMP_POINT=${#COMP_LINE}; _stead; echo "${COMPREPLY[@]}"\n'
    environment = {"PATH": f"{tmp_path}:/usr/bin:/bin"}
    done = subprocess.run(["bash", "-c", script], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout == "c\n"


LINES = {
    "stead pl": ["plan"],
    "stead state m": ["mv", "migrate"],
    "stead plan --max-disruption reb": ["reboot", "rebuild"],
    "stead show acme/rou": ["acme/routers/edge"],
    "stead plan --target=acme/rou": ["--target=acme/routers/edge"],
    "stead console acme/instances/d": ["acme/instances/db"],
    "stead drain compute-": [f"compute-{number}" for number in range(1, 5)],
    "stead graph --kind key": ["keypairs"],
    "stead plan --project ac": ["acme"],
}


@pytest.mark.usefixtures("demo")
@pytest.mark.parametrize("line", LINES)
def test_what_is_asked_for_is_what_is_offered(
    line: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert offered(line, monkeypatch, capsys) == LINES[line]


def test_addresses_come_from_the_spec_that_the_line_names(
    demo: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(demo.parent)
    assert offered("stead show acme/rou", monkeypatch, capsys) == []
    assert offered("stead show -s demo acme/rou", monkeypatch, capsys) == ["acme/routers/edge"]
    assert offered("stead show -s demo 'acme/rou", monkeypatch, capsys) == ["acme/routers/edge"]


_ASKING = {
    "bash": (
        'source <(stead completion bash); COMP_LINE="$1"; COMP_POINT=${#1}; _stead; printf "%s\\n" "${COMPREPLY[@]}"'
    ),
    "fish": "stead completion fish | source; complete -C $argv[1]",
}


@pytest.mark.parametrize("shell", sorted(_ASKING))
@pytest.mark.parametrize("line", ["stead pl", "stead state m", "stead show acme/rou", "stead drain compute-"])
def test_a_real_shell_offers_it(shell: str, line: str, demo: Path) -> None:
    if shutil.which(shell) is None:
        pytest.skip(f"{shell} is not installed")
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    words = [shell, "-c", _ASKING[shell], *(["stead"] if shell == "bash" else []), line]
    environment = {**os.environ, "PATH": path, "HOME": str(demo)}
    done = subprocess.run(words, cwd=demo, env=environment, capture_output=True, text=True, check=True)
    assert sorted(done.stdout.split()) == sorted(LINES[line])
