"""What is no file of a spec is told, and read no further than a spec can go."""

from pathlib import Path

import pytest

from stead.kinds import kinds
from stead.language.spec import files, load


@pytest.mark.parametrize("name", ["/dev/zero", "large.yml"])
def test_what_never_ends_is_not_read_to_its_end(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "LARGEST", 1000)
    (tmp_path / "large.yml").write_text("# a word\n" * 1000, encoding="utf-8")
    _, found = load([tmp_path / name], kinds(), root=tmp_path)
    assert [one.code for one in found] == [files.NO_FILE.id]
    assert "It has more than" in found[0].detail
