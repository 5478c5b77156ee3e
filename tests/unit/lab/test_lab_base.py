"""The base tree's cache: whole or not there, built once by two at a time, and never taken from under a lab."""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from stead.core.diagnostics import Refused
from stead.lab import base, base_cache, build_base, commands
from stead.lab.lifecycle import quiet


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("STEAD_LAB_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("STEAD_LAB_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(base_cache, "need", lambda *_: None)
    return tmp_path / "cache"


def count_builds(monkeypatch: pytest.MonkeyPatch, pause: float = 0) -> list[Path]:
    built: list[Path] = []

    def build(tree: base.Base, _: object) -> None:
        built.append(tree.top)
        time.sleep(pause)
        tree.bare.mkdir()

    monkeypatch.setattr(build_base, "build", build)
    return built


def test_a_tree_is_built_once(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    built = count_builds(monkeypatch)
    first = base_cache.ensure_base(quiet)
    assert base_cache.ensure_base(quiet) == first
    assert len(built) == 1
    assert first.bare.is_dir()
    assert first.top.parent == cache


def test_of_two_who_race_one_builds_and_both_get_it(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    built = count_builds(monkeypatch, pause=0.2)
    found: list[base.Base] = []
    threads = [threading.Thread(target=lambda: found.append(base_cache.ensure_base(quiet))) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(built) == 1
    assert found[0] == found[1]
    assert cache.exists()


HOLDER = """
import sys
from pathlib import Path
from stead.lab.locking import locked
from stead.lab.commands import run
with locked(Path(sys.argv[1])):
    run(["sh", "-c", 'touch "$1"; until [ -e "$2" ]; do sleep 0.1; done', "sh", *sys.argv[2:]])
"""


def test_a_lock_is_held_until_what_a_killed_holder_ran_has_ended(tmp_path: Path) -> None:
    lock, begun, end = tmp_path / "lock", tmp_path / "begun", tmp_path / "end"
    holder = subprocess.Popen([sys.executable, "-c", HOLDER, lock, begun, end])
    deadline = time.monotonic() + 60
    while not begun.exists():
        assert time.monotonic() < deadline
        time.sleep(0.05)
    holder.kill()
    holder.wait()
    with lock.open() as held:
        with pytest.raises(BlockingIOError):
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        end.touch()
        fcntl.flock(held, fcntl.LOCK_EX)


@pytest.mark.usefixtures("cache")
def test_a_build_that_fails_leaves_nothing_to_be_found(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(tree: base.Base, _: object) -> None:
        tree.bare.mkdir()
        raise RuntimeError

    monkeypatch.setattr(build_base, "build", fail)
    with pytest.raises(RuntimeError):
        base_cache.ensure_base(quiet)
    built = count_builds(monkeypatch)
    base_cache.ensure_base(quiet)
    assert len(built) == 1


def test_a_tree_that_is_too_old_is_built_again_beside_it(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    built = count_builds(monkeypatch)
    first = base_cache.ensure_base(quiet).top
    before = int(time.time() - base_cache.STALE_AFTER - 1)
    old = first.rename(first.with_name(f"{first.name.rsplit('-', 1)[0]}-{before}"))
    assert base_cache.ensure_base(quiet).top != old
    assert len(built) == 2
    assert old.exists(), "somebody may stand on it"
    assert cache.exists()


@pytest.mark.usefixtures("cache")
def test_another_recipe_is_another_tree(monkeypatch: pytest.MonkeyPatch) -> None:
    before = base.key()
    monkeypatch.setenv("STEAD_LAB_MIRROR", "http://mirror.example/debian")
    assert base.key() != before


def test_only_trees_that_nobody_uses_are_removed(cache: Path, tmp_path: Path) -> None:
    trees = {name: cache / f"base-x-{name}-1" for name in ("kept", "used", "idle", "recent")}
    for tree in trees.values():
        tree.mkdir(parents=True)
        (tree / "made.json").touch()
        if tree != trees["recent"]:
            long_ago = time.time() - base_cache.UNUSED_AFTER - 60
            os.utime(tree / "made.json", (long_ago, long_ago))
    lab = tmp_path / "home" / "lab"
    lab.mkdir(parents=True)
    (lab / "base").symlink_to(trees["used"])
    base_cache.prune(keep=trees["kept"])
    assert {name for name, tree in trees.items() if tree.exists()} == {"kept", "used", "recent"}


def test_too_little_space_is_told_before_anything_is_built(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    built = count_builds(monkeypatch)
    monkeypatch.setattr(base_cache, "SPACE", 2**60)
    with pytest.raises(Refused, match=r"STEAD-B003.*STEAD_LAB_CACHE"):
        base_cache.ensure_base(quiet)
    assert built == []
    assert cache.exists()


def test_every_list_of_packages_has_names_only() -> None:
    for level in ("bare", "stock", "offered", "guest"):
        names = base.packages(level)
        assert names
        assert all(name == name.strip() and " " not in name and "#" not in name for name in names)


def test_whoever_is_not_root_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(Refused, match="STEAD-B001"):
        commands.need_root()


def test_all_missing_programs_are_told_with_the_packages_that_have_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(Refused, match=r"STEAD-B002.*apt-get install mmdebstrap systemd-container"):
        commands.need("systemd-nspawn", "mmdebstrap")
