"""Host code is called by a command: what is kept compiled, or what comes with the call and then keeps itself."""

from __future__ import annotations

import errno
import io
import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.stead.cloud.plugins.module_utils import compiled
from ansible_collections.stead.cloud.plugins.plugin_utils import host_code

MAIN = """
import sys
import compiled
compiled.use({root!r}, {code!r})
import thing
print(thing.WORD, thing.__file__, thing.__cached__ or "nowhere", sys.argv[1:], sys.stdin.read())
"""
NOTHING = {"payload": json.dumps({"host": "h", "steps": []})}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "root").mkdir()
    return tmp_path / "root"


def sent(folder: Path, word: str, root: Path) -> list[str]:
    path = folder / "sent.zip"
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("__main__.py", MAIN.format(root=str(root), code=str(folder / "code")))
        file.writestr("compiled.py", Path(compiled.__file__).read_text(encoding="utf-8"))
        file.writestr("thing.py", f"WORD = {word!r}\n")
    return run(str(path), f"digest-of-{word}", "verb")


def run(*words: str) -> list[str]:
    argv = [sys.executable, "-I", *words]
    return subprocess.run(argv, input="told", capture_output=True, text=True, check=True).stdout.split()


def test_a_version_is_compiled_once_and_another_one_beside_it(tmp_path: Path, root: Path) -> None:
    word, path, cached, *rest = sent(tmp_path, "one", root)
    place = tmp_path / "code/digest-of-one"
    assert (word, path, rest) == ("one", str(place / "thing.py"), ["['verb']", "told"])
    made = Path(cached).stat().st_mtime_ns
    assert run(str(place), "verb") == [word, path, cached, *rest]
    assert sent(tmp_path, "one", root) == [word, path, cached, *rest]
    assert Path(cached).stat().st_mtime_ns == made
    assert sent(tmp_path, "two", root)[0] == "two"
    assert len(list((tmp_path / "code").iterdir())) == 2
    assert (tmp_path / "code").stat().st_mode & 0o077 == 0


def test_older_versions_go(tmp_path: Path, root: Path) -> None:
    for number in range(compiled.KEPT + 2):
        assert sent(tmp_path, str(number), root)[0] == str(number)
    assert len(list((tmp_path / "code").iterdir())) == compiled.KEPT


def test_a_host_that_was_not_prepared_keeps_nothing(tmp_path: Path) -> None:
    found = sent(tmp_path, "one", tmp_path / "nowhere")
    assert (found[0], found[3:]) == ("one", ["['verb']", "told"])
    assert not (tmp_path / "code").exists()


def test_where_nothing_can_be_written_the_archive_does(tmp_path: Path, root: Path) -> None:
    (tmp_path / "code").write_text("in the way")
    assert sent(tmp_path, "one", root)[0] == "one"


def test_a_version_is_on_the_disk_before_it_can_be_found(
    tmp_path: Path, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else a power cut leaves empty files there, which nothing compares with anything again."""
    archive, place, synced = tmp_path / "sent.zip", tmp_path / "code/digest", set()
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("package/thing.py", "")
    real = os.fsync

    def fsync(handle: int) -> None:
        assert not place.exists()
        synced.add(os.fstat(handle).st_ino)
        real(handle)

    monkeypatch.setattr(os, "fsync", fsync)
    compiled._kept(str(archive), str(place))
    assert {path.stat().st_ino for path in (place, *place.rglob("*"))} == synced
    assert root.is_dir()


def test_what_killed_runs_left_goes_in_the_end(tmp_path: Path, root: Path) -> None:
    old, new = tmp_path / "code/.old", tmp_path / "code/.new"
    for path in (old, new):
        (path / "code").mkdir(parents=True)
    os.utime(old, (0, 0))
    assert sent(tmp_path, "one", root)[0] == "one"
    assert sorted(path.name for path in (tmp_path / "code").iterdir()) == [".new", "digest-of-one"]


def test_a_disk_that_cannot_be_written_any_more_is_no_reason_to_say_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def utime(_path: str) -> None:
        raise OSError(errno.EROFS, os.strerror(errno.EROFS))

    monkeypatch.setattr(os, "utime", utime)
    monkeypatch.setattr(sys, "path", [str(tmp_path)])
    compiled.use()


class Host:
    """A connection whose other end is a shell of this machine."""

    def __init__(self, *, pipelining: bool = True, login: str = "") -> None:
        self._task: Any = type("Task", (), {"check_mode": True, "diff": False})()
        self.pipelining, self.login = pipelining, login
        self.commands: list[str] = []
        self.modules: list[str] = []

    def _is_pipelining_enabled(self, _module_style: str, _wrap_async: bool = False) -> bool:
        return self.pipelining

    def _compute_environment_string(self, _raw_environment_out: Any = None) -> str:
        return "LC_ALL=C"

    def _low_level_execute_command(self, cmd: str, *_words: Any, in_data: bytes, **_named: Any) -> dict[str, Any]:
        self.commands.append(cmd)
        ended = subprocess.run(["sh", "-c", self.login + cmd], input=in_data, capture_output=True, check=False)
        return {"rc": ended.returncode, "stdout": ended.stdout.decode(), "stderr": ended.stderr.decode()}

    def _execute_module(self, module_name: str = "", **_named: Any) -> dict[str, Any]:
        self.modules.append(module_name)
        return {"by": "module"}


def known(python: str = sys.executable) -> dict[str, str]:
    return {"ansible_python_interpreter": python}


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(host_code, "CODE", str(tmp_path))
    return tmp_path / host_code.digest_of_code()


def keep(place: Path) -> None:
    zipfile.ZipFile(io.BytesIO(host_code.archive())).extractall(place)


@pytest.mark.usefixtures("place")
def test_what_a_host_has_not_comes_with_the_call() -> None:
    host = Host()
    assert host_code.call(host, "converge", NOTHING, known()) == {"changed": False, "results": [], "waits": {}}
    assert len(host.commands) == 2
    assert "umask" not in host.commands[1], "what is made on hosts would be for root alone"


def test_what_a_host_keeps_is_run(place: Path) -> None:
    keep(place)
    host = Host(login="echo Welcome '{';")
    assert host_code.call(host, "converge", NOTHING, known())["results"] == []
    assert len(host.commands) == 1
    assert "-I " + str(place) in host.commands[0]


def test_what_goes_wrong_is_said(place: Path) -> None:
    keep(place)
    told = host_code.call(Host(login="echo '{ welcome';"), "converge", {"payload": "{}"}, known())
    assert (told["failed"], told["msg"]) == (True, "The host's code ended with status 1: KeyError: 'host'")
    missing = host_code.call(Host(), "converge", NOTHING, known("/usr/bin/no-python"))
    assert "no-python" in missing["msg"]


@pytest.mark.parametrize("host", [Host(pipelining=False), Host()])
def test_else_it_is_a_module(host: Host) -> None:
    python = "auto" if host.pipelining else sys.executable
    assert host_code.call(host, "observe", {}, known(python)) == {"by": "module"}
    assert (host.commands, host.modules) == ([], ["stead.cloud.observe"])


def test_what_is_sent_is_whole_and_always_the_same() -> None:
    assert host_code.digest_of_code.__wrapped__() == host_code.digest_of_code()
    names = zipfile.ZipFile(io.BytesIO(host_code.archive())).namelist()
    assert len(names) == len(set(names))
    ours, inside = Path(compiled.__file__).parent, host_code.OURS.replace(".", "/")
    sent_ones = {os.path.relpath(one, inside) for one in names if one.startswith(inside)}
    assert {os.path.relpath(one, ours) for one in ours.rglob("*.py")} == sent_ones
