"""Every `*.scenario` file says the truth: commands as a person types them print what it says they print.

    # a remark
    $ stead plan
    what it prints, on stdout and stderr together
    [exit 2]

`...` alone on a line stands for any lines. UUIDs, MACs, digests and times are written `<uuid>`, `<mac>`, `<digest>`,
`<time>`. Beside `stead` there are `cd DIR`, `edit FILE: OLD -> NEW` (OLD is there once), `append FILE: TEXT` and
`answer TEXT: stead ...`, where a person at a terminal types TEXT.

`STEAD_UPDATE=1 pytest tests/scenarios` writes what was printed into the files; read the difference before you commit.
"""

from __future__ import annotations

import io
import os
import re
import shlex
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass, field
from pathlib import Path
from unittest.mock import patch

import pytest

from stead.cli import main

FILES = sorted(Path(__file__).parent.glob("*.scenario"))
_VARYING = (
    (re.compile(r"\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b"), "<uuid>"),
    (re.compile(r"\b[0-9a-f]{2}(?::[0-9a-f]{2}){5}\b"), "<mac>"),
    (re.compile(r"\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ"), "<time>"),
    (re.compile(r"\b(?=[0-9a-f]*[0-9])[0-9a-f]{12,64}\b"), "<digest>"),
    (re.compile(r"(holds the lock since .*|on) [^ ]+, process \d+"), r"\1 <host>, process <pid>"),
)


@dataclass(slots=True)
class Line:
    """One command, or a remark, with what is expected after it."""

    text: str
    expected: list[str] = field(default_factory=list)

    @property
    def command(self) -> str:
        return self.text.removeprefix("$ ") if self.text.startswith("$ ") else ""


def read(path: Path) -> list[Line]:
    lines: list[Line] = []
    for text in path.read_text(encoding="utf-8").splitlines():
        if text.startswith(("$ ", "# ")) or not lines:
            lines.append(Line(text))
        else:
            lines[-1].expected.append(text)
    return lines


def write(path: Path, lines: Sequence[Line]) -> None:
    path.write_text("".join(f"{text}\n" for line in lines for text in (line.text, *line.expected)), encoding="utf-8")


def play(line: Line) -> list[str]:
    """What the command prints, with what varies made the same."""
    word, _, rest = line.command.partition(" ")
    match word:
        case "stead":
            return ran(shlex.split(rest))
        case "cd":
            os.chdir(rest)
        case "edit":
            name, _, change = rest.partition(": ")
            old, _, new = change.partition(" -> ")
            edit(Path(name), old.replace("\\n", "\n"), new.replace("\\n", "\n"))
        case "append":
            name, _, text = rest.partition(": ")
            file = Path(name)
            with file.open("a") as opened:
                opened.write(text.replace("\\n", "\n") + "\n")
        case "answer":
            said, _, command = rest.partition(": stead ")
            with at_terminal(said):
                return ran(shlex.split(command))
        case _:
            raise ValueError(line.text)
    return []


def edit(file: Path, old: str, new: str) -> None:
    text = file.read_text()
    assert text.count(old) == 1, f"{old!r} is {text.count(old)} times in {file}"
    file.write_text(text.replace(old, new))


def ran(arguments: Sequence[str]) -> list[str]:
    printed = io.StringIO()
    with redirect_stdout(printed), redirect_stderr(printed):
        try:
            status = main(arguments)
        except SystemExit as ending:  # argparse
            status = ending.code if isinstance(ending.code, int) else 1
    text = printed.getvalue()
    for pattern, name in _VARYING:
        text = pattern.sub(name, text)
    lines = [one.rstrip() for one in text.rstrip("\n").split("\n")] if text.strip() else []
    return [*lines, *([f"[exit {status}]"] if status else [])]


@contextmanager
def at_terminal(said: str) -> Iterator[None]:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    with patch("sys.stdin", Terminal(f"{said}\n")):
        yield


def agrees(expected: Sequence[str], printed: Sequence[str]) -> bool:
    """`...` stands for any lines, none included. Blank lines at the end are for the reader."""
    pattern = [one.rstrip() for one in expected]
    while pattern and not pattern[-1]:
        pattern.pop()
    parts = [re.escape(one) + "\n" if one != "..." else r"(?:.*\n)*?" for one in pattern]
    return re.fullmatch("".join(parts), "".join(f"{one}\n" for one in printed)) is not None


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_commands_print_what_the_scenario_says(path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in ("STEAD_STORE", "STEAD_STORE_KEY", "FORCE_COLOR", "ANSIBLE_VAULT_PASSWORD_FILE"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("STEAD_WHO", "ada")
    monkeypatch.chdir(tmp_path)
    lines = read(path)
    updating = bool(os.environ.get("STEAD_UPDATE"))
    for line in lines:
        if not line.command:
            continue
        printed = play(line)
        if updating and not agrees(line.expected, printed):
            line.expected = [*printed, ""]
        assert agrees(line.expected, printed), "\n".join([f"after {line.text}", *printed])
    if updating:
        write(path, lines)


def test_there_are_scenarios() -> None:
    assert len(FILES) > 5


def test_a_scenario_that_lies_is_found() -> None:
    assert not agrees(["Plan: 1 to create"], ["Plan: 2 to create"])
    assert not agrees(["first", "..."], ["second"])
    assert not agrees([], ["more than was said"])
    assert agrees(["first", "...", "last", ""], ["first", "a", "b", "last"])
