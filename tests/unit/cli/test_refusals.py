"""What is asked wrongly of a site that is otherwise well: one line a case, the words and the code that answers them."""

from __future__ import annotations

import errno
import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from stead.cli import COMMANDS, main

DEMO_SPEC = "stead.yml"


def _refused(words: str, code: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(words.split()) == 1
    told = capsys.readouterr()
    assert f"[{code}]" in told.err
    assert "Traceback" not in told.err


@pytest.mark.usefixtures("demo")
@pytest.mark.parametrize(
    ("words", "code"),
    [
        ("output nothing", "STEAD-C041"),
        ("completion", "STEAD-C042"),
        ("schema --kind instence", "STEAD-C043"),
        ("console acme/networks/app", "STEAD-C044"),
        ("drain compute-77", "STEAD-C051"),
        ("capacity --add sevenxcompute-1", "STEAD-C052"),
        ("capacity --without compute-77", "STEAD-C052"),
        ("explain acme/networks", "STEAD-C054"),
        ("plan --vault-password-file missing.txt", "STEAD-C014"),
        ("test .stead", "STEAD-T001"),
        ("lab status --name NoLabHasThisName", "STEAD-B007"),
        ("lab ssh --name nolab compute-1 true", "STEAD-B008"),
    ],
)
def test_what_is_not_there_is_refused_with_its_code(words: str, code: str, capsys: pytest.CaptureFixture[str]) -> None:
    _refused(words, code, capsys)


def _rewritten(demo: Path, old: str, new: str) -> None:
    spec = demo / DEMO_SPEC
    before = spec.read_text()
    assert old in before
    spec.write_text(before.replace(old, new, 1))


def _one_real_host(demo: Path) -> None:
    with (demo / "inventory.yml").open("a") as inventory:
        inventory.write("\n    mixed: {hosts: {compute-1: {stead_runner: ansible}}}\n")


def _not_utf8(demo: Path) -> None:
    (demo / DEMO_SPEC).write_bytes(b"stead: 1\nsite: {name: caf\xe9}\n")


def _defined_twice(demo: Path) -> None:
    (demo / "more.yml").write_text("stead: 1\nflavors: {small: {vcpus: 1, memory: 1GiB}}\n")


def _damaged_vault(demo: Path) -> None:
    (demo / "password").write_text("secret\n")
    text = "stead: 1\nvars:\n  token: !vault |\n    $ANSIBLE_VAULT;1.1;AES256\n    6162\n"
    (demo / "vaulted.yml").write_text(text + "site: {name: '{{ vars.token }}'}\n")


def _spoilt_record(demo: Path) -> None:
    with sqlite3.connect(demo / ".stead/state.db") as db:
        db.execute("UPDATE bodies SET content = '[1'")
    db.close()
    _rewritten(demo, "count: 3", "count: 4")


SWAP = """
stead: 1
images: {i: {source: /srv/i.qcow2}}
projects:
  p:
    volumes: {v: {size: 1GiB}, w: {size: 1GiB}}
    instances:
      a: {flavor: {vcpus: 1, memory: 1GiB, disk: 1GiB}, image: i, volumes: [v]}
      b: {flavor: {vcpus: 1, memory: 1GiB, disk: 1GiB}, image: i, volumes: [w]}
"""


def _swapped(demo: Path) -> None:
    """Each waits for the other to let go."""
    shutil.rmtree(demo / ".stead")
    (demo / DEMO_SPEC).write_text(SWAP)
    assert main(["apply", "--auto-approve", "--quiet"]) == 0
    (demo / DEMO_SPEC).write_text(SWAP.replace("[v]", "[x]").replace("[w]", "[v]").replace("[x]", "[w]"))


def _unreachable(demo: Path) -> None:
    text = "all: {children: {compute: {hosts: {c1: {ansible_host: 127.0.0.1, ansible_port: 1}}}}}\n"
    (demo / "inventory.yml").write_text(text)


SPOILT: dict[str, tuple[str, str, Callable[[Path], object]]] = {
    "a spec that differs": ("rebalance", "STEAD-C053", lambda demo: _rewritten(demo, "count: 3", "count: 4")),
    "one real host among simulated ones": ("plan", "STEAD-C013", _one_real_host),
    "a byte that is no UTF-8": ("validate", "STEAD-D002", _not_utf8),
    "a flavor in two files": ("validate", "STEAD-L023", _defined_twice),
    "a vaulted text that is damaged": (
        "validate vaulted.yml --vault-password-file password",
        "STEAD-L041",
        _damaged_vault,
    ),
    "an expression that fails": (
        "plan",
        "STEAD-L060",
        lambda demo: _rewritten(demo, "instances.web |", "instances.web.none.of_these |"),
    ),
    "two instances that swap their volumes": ("plan", "STEAD-X001", _swapped),
    "hosts that nobody reaches": ("bootstrap", "STEAD-H019", _unreachable),
    "an inventory that Ansible cannot use": ("bootstrap --limit nobody", "STEAD-H020", _unreachable),
    "a record that is no JSON": ("plan", "STEAD-X024", _spoilt_record),
}


@pytest.mark.parametrize("why", SPOILT)
def test_a_site_that_is_not_ready_for_a_command_says_so(
    why: str, demo: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words, code, spoil = SPOILT[why]
    spoil(demo)
    _refused(words, code, capsys)


def test_a_check_that_only_warns_stops_nothing(demo: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with (demo / DEMO_SPEC).open("a") as spec:
        spec.write("\nchecks: {small: {that: '{{ 1 == 2 }}', severity: warning, message: it is large}}\n")
    assert main(["plan"]) == 0
    told = capsys.readouterr()
    assert "warning[STEAD-L062]" in told.out + told.err


@pytest.mark.parametrize(
    ("error", "code"),
    [(PermissionError(errno.EACCES, "Permission denied", "stead.yml"), "STEAD-C005"), (MemoryError(), "STEAD-C004")],
)
def test_what_the_system_refuses_is_no_traceback(
    error: BaseException,
    code: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    import stead.cli.commands.version

    def fails(_options: object) -> int:
        raise error

    assert "version" in COMMANDS
    monkeypatch.setattr(stead.cli.commands.version, "run", fails)
    _refused("version", code, capsys)
