"""Host code that came in a zip is imported from a compiled copy, or from the zip where there can be none."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from ansible_collections.stead.cloud.plugins.module_utils import compiled

SCRIPT = """
import sys
sys.path.insert(0, sys.argv[1])
from utils import compiled
compiled.use(sys.argv[2], sys.argv[3])
from utils.host import thing
print(thing.WORD, thing.__file__, thing.__cached__ or thing.__spec__.loader_state)
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "root").mkdir()
    return tmp_path / "root"


def packed(folder: Path, word: str) -> Path:
    """A zip as Ansible sends one; its files are of the moment in which it was made."""
    path = folder / "sent.zip"
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("utils/__init__.py", "")
        file.writestr("utils/compiled.py", Path(compiled.__file__).read_text(encoding="utf-8"))
        file.writestr("utils/host/__init__.py", "")
        file.writestr("utils/host/thing.py", f"WORD = {word!r}\n")
        file.writestr("other.py", "")
    return path


def imported(sent: Path, root: Path, code: Path) -> list[str]:
    words = [sys.executable, "-B", "-c", SCRIPT, str(sent), str(root), str(code)]
    return subprocess.run(words, capture_output=True, text=True, check=True).stdout.split()


def test_a_version_is_compiled_once_and_another_one_beside_it(tmp_path: Path, root: Path) -> None:
    code = tmp_path / "code"
    word, path, cached = imported(packed(tmp_path, "one"), root, code)
    (place,) = code.iterdir()
    assert (word, path) == ("one", str(place / "host/thing.py"))
    made = Path(cached).stat().st_mtime_ns
    assert imported(packed(tmp_path, "one"), root, code) == [word, path, cached]
    assert Path(cached).stat().st_mtime_ns == made
    assert imported(packed(tmp_path, "two"), root, code)[0] == "two"
    assert len(list(code.iterdir())) == 2
    assert code.stat().st_mode & 0o077 == 0


def test_older_versions_go(tmp_path: Path, root: Path) -> None:
    code = tmp_path / "code"
    for number in range(compiled.KEPT + 2):
        assert imported(packed(tmp_path, str(number)), root, code)[0] == str(number)
    assert len(list(code.iterdir())) == compiled.KEPT


def test_a_host_that_was_not_prepared_keeps_nothing(tmp_path: Path) -> None:
    sent, code = packed(tmp_path, "one"), tmp_path / "code"
    assert imported(sent, tmp_path / "nowhere", code)[1].startswith(str(sent))
    assert not code.exists()


def test_where_nothing_can_be_written_the_zip_does(tmp_path: Path, root: Path) -> None:
    code = tmp_path / "code"
    code.write_text("in the way")
    assert imported(packed(tmp_path, "one"), root, code)[0] == "one"
