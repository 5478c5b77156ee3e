"""What is no file of a spec is told, and read no further than a spec can go."""

from pathlib import Path

import pytest

from stead.kinds import kinds
from stead.language.desired import resolve
from stead.language.spec import files, load


@pytest.mark.parametrize("name", ["/dev/zero", "large.yml"])
def test_what_never_ends_is_not_read_to_its_end(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "LARGEST", 1000)
    (tmp_path / "large.yml").write_text("# a word\n" * 1000, encoding="utf-8")
    _, found = load([tmp_path / name], kinds(), root=tmp_path)
    assert [one.code for one in found] == [files.NO_FILE.id]
    assert "It has more than" in found[0].detail


SPEC = """stead: 1
vars:
  setup: {file: FILE}
outputs: {setup: "{{ vars.setup }}"}
"""
SCRIPT = "#!/bin/sh\necho {{ braces }} {% if %} yes: no\n"


def said(folder: Path, file: str, **given: str) -> tuple[object, list[str]]:
    (folder / "stead.yml").write_text(SPEC.replace("FILE", file), encoding="utf-8")
    spec, found = load([folder / "stead.yml"], kinds(), root=folder, variables=given)
    desired, more = resolve(spec, key=b"k" * 32)
    return desired.variables.get("setup"), [f"{one.code} {one.place}" for one in [*found, *more]]


def test_a_variable_is_the_text_of_a_file_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "scripts").mkdir()
    (tmp_path / "scripts" / "setup.sh").write_text(SCRIPT, encoding="utf-8")
    assert said(tmp_path, "scripts/setup.sh") == (SCRIPT, [])
    assert said(tmp_path, "scripts/setup.sh", setup="given") == ("given", [])
    before = digest(tmp_path)
    (tmp_path / "scripts" / "setup.sh").write_text(SCRIPT + "more\n", encoding="utf-8")
    assert digest(tmp_path) != before


def digest(folder: Path) -> str:
    spec, _ = load([folder / "stead.yml"], kinds(), root=folder)
    return resolve(spec, key=b"k" * 32)[0].digest


@pytest.mark.parametrize(
    ("file", "code"),
    [
        ("none.sh", "STEAD-L020"),
        ("odd", "STEAD-L020"),
        ("large", "STEAD-L020"),
        (".", "STEAD-L020"),
        ("/etc/hostname", "STEAD-L027"),
        ("../x", "STEAD-L027"),
        ("link", "STEAD-L027"),
    ],
)
def test_what_is_no_text_beside_the_spec_is_not_read(
    file: str, code: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "LONGEST", 1000)
    (tmp_path / "odd").write_bytes(b"\xff\xfe")
    (tmp_path / "large").write_text("word " * 1000, encoding="utf-8")
    (tmp_path / "link").symlink_to("/etc/hostname")
    assert said(tmp_path, file) == ("", [f"{code} {tmp_path / 'stead.yml'}:3:17"])
