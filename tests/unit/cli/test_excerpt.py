"""The line that a diagnostic shows is the line of the file, with carets below what is meant."""

from __future__ import annotations

from pathlib import Path

import pytest

from stead.cli.common.excerpt import WIDEST, Excerpts, drawn
from stead.core.diagnostics import Place


def shown(folder: Path, text: str, line: int, column: int) -> tuple[str, str] | None:
    file = folder / "stead.yml"
    file.write_text(text, encoding="utf-8")
    excerpt = Excerpts().of(Place(str(file), line, column))
    return drawn(excerpt, line) if excerpt is not None else None


@pytest.mark.parametrize(
    ("text", "column", "line", "carets"),
    [
        ("web: {ram: 4G}", 7, "1 | web: {ram: 4G}", "  |       ^^^"),
        ("web: 'a ''b'' c' # d", 6, "1 | web: 'a ''b'' c' # d", "  |      ^^^^^^^^^^^"),
        ("a: {type: OS::Nova::Server}", 11, "1 | a: {type: OS::Nova::Server}", "  |           ^^^^^^^^^^^^^^^^"),
        ("web: [a, b]", 6, "1 | web: [a, b]", "  |      ^"),
        ("name: 日本 x", 7, "1 | name: 日本 x", "  |       ^^^^"),
        ("日本: [x]", 6, "1 | 日本: [x]", "  |        ^"),
        ("a: \x1b[2Jb c", 5, "1 | a:  [2Jb c", "  |     ^"),
    ],
)
def test_carets_stand_below_the_word(tmp_path: Path, text: str, column: int, line: str, carets: str) -> None:
    assert shown(tmp_path, text + "\n", 1, column) == (line, carets)


def test_a_long_line_is_cut_around_the_word(tmp_path: Path) -> None:
    line, carets = shown(tmp_path, f"{'x' * 500} wrong {'y' * 500}", 1, 502) or ("", "")
    assert len(line) <= len("1 |…") + WIDEST
    assert line[carets.index("^") : carets.rindex("^") + 1] == "wrong"


@pytest.mark.parametrize(("line", "column"), [(3, 1), (1, 90), (0, 1)])
def test_a_place_that_is_not_in_the_file_shows_nothing(tmp_path: Path, line: int, column: int) -> None:
    assert shown(tmp_path, "a: b\n", line, column) is None


@pytest.mark.parametrize("content", [b"$ANSIBLE_VAULT;1.1;AES256\n6162\n", b"\xff\xfe\x00a: b\n"])
def test_a_file_that_reads_otherwise_than_it_is_written_shows_nothing(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "v.yml").write_bytes(content)
    assert Excerpts().of(Place(str(tmp_path / "v.yml"), 1, 1)) is None


def test_what_is_no_file_shows_nothing() -> None:
    assert Excerpts().of(Place("-e size", 1, 1)) is None
    assert Excerpts().of(None) is None
