"""What has no console, told before anything is connected to. What has one is in tests/lab/test_sudo.py."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from ansible_collections.stead.cloud.plugins.module_utils.host.hypervisor.domains import definition
from stead.cli import main
from stead.cli.commands.logs import legible
from stead.cli.common.consoles import reader
from stead.core.address import Address
from stead.core.diagnostics import Refused
from stead.core.recorded import Record
from stead.core.want import Body, Want
from stead.drivers.hypervisor import by_hypervisor
from stead.drivers.hypervisor.qemu import console_log
from stead.site.inventory import read_inventory


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("console")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        assert main(["init", "demo"]) == 0
        patch.chdir(folder / "demo")
        assert main(["apply", "-q", "--auto-approve"]) == 0
    return folder / "demo"


@pytest.mark.parametrize(
    ("address", "told"),
    [
        ("acme/instances/web", "Name one of them, such as acme/instances/web[0]."),
        ("acme/networks/app", "acme/networks/app is not an instance on a host."),
        ("acme/instances/db", "STEAD-H021"),
        ("acme/instances/dp", "Did you mean acme/instances/db?"),
    ],
)
def test_what_has_no_console_is_told(
    address: str, told: str, demo: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(demo)
    for command in ("console", "logs"):
        assert main([command, address]) == 1
        assert told in capsys.readouterr().err


Reading = Callable[[str], Callable[[Record, int], bytes | None]]


def recorded(hypervisor: str) -> Record:
    want = Want.of(Body.of({"hypervisor": hypervisor}))
    address = Address("acme", "instances", "web")
    return Record(address=address, host="compute-1", wants={"compute-1": want}, leases={"uuid": "4-2"})


@pytest.fixture
def reading(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Reading:
    """With a program in the place of ssh, that this script is."""

    def make(script: str) -> Callable[[Record, int], bytes | None]:
        (tmp_path / "ssh").write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
        (tmp_path / "ssh").chmod(0o755)
        (tmp_path / "inventory.yml").write_text(
            "compute: {hosts: {compute-1: {ansible_host: 192.0.2.1, ansible_user: stead}}}\n", encoding="utf-8"
        )
        monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
        return reader(read_inventory((tmp_path / "inventory.yml",))[0])

    return make


def test_what_a_guest_wrote_is_read_on_its_host(
    reading: Reading,
) -> None:
    said = reading('echo "$@"')(recorded("qemu"), 100)
    assert said is not None
    assert said.endswith(b"-l stead 192.0.2.1 sudo -n tail -c 100 /var/lib/stead/instances/4-2/console.log\n")
    assert b"BatchMode=yes" in said
    assert reading("exit 1")(recorded("paper"), 100) is None


def test_a_host_that_says_nothing_is_told(reading: Reading) -> None:
    with pytest.raises(Refused, match="No route to host") as refusal:
        reading("echo No route to host >&2; exit 255")(recorded("qemu"), 100)
    assert refusal.value.diagnostics[0].code == "STEAD-C044"


def test_both_halves_mean_the_same_file() -> None:
    assert console_log("4-2", 9)[-1] == definition.console_log("4-2")


@pytest.fixture
def logs(reading: Reading, monkeypatch: pytest.MonkeyPatch) -> Callable[..., int]:
    """`stead logs` of an instance whose host is what a script says."""

    def run(script: str, *options: str) -> int:
        reading(script)
        told = {"ansible_host": "192.0.2.1", "ansible_user": "stead"}
        found = (recorded("qemu"), told, by_hypervisor()["qemu"])
        monkeypatch.setattr("stead.cli.commands.logs.guest_of", lambda *_asked: found)
        return main(["logs", "acme/instances/web", *options])

    return run


def test_logs_are_the_last_lines_as_they_were_written(
    logs: Callable[..., int], capfd: pytest.CaptureFixture[str]
) -> None:
    assert logs('echo "$@"; printf "\\033[31mred\\n"', "--lines", "3", "--follow") == 0
    said = capfd.readouterr().out
    assert "sudo -n tail -F -n 3 /var/lib/stead/instances/4-2/console.log\n" in said
    assert said.endswith("\x1b[31mred\n")


def test_a_guest_does_not_steer_the_terminal() -> None:
    written = "\x1b[0;32mok\x1b[0m\ta\r\n\x1b]52;c;c3RlYWw=\x07café\n\x9b31m"
    assert legible(written) == "ok\ta\n\\u001b]52;c;c3RlYWw=\\u0007café\n\\u009b31m"
    assert legible("a\\tb") == "a\\tb"


def test_logs_that_are_not_there_are_told(logs: Callable[..., int], capsys: pytest.CaptureFixture[str]) -> None:
    assert logs("echo tail: no such file >&2; exit 1") == 1
    said = capsys.readouterr().err
    assert "STEAD-C044" in said
    assert "no such file" in said


def test_logs_in_the_middle_of_a_letter_are_still_letters(
    logs: Callable[..., int], capfd: pytest.CaptureFixture[str]
) -> None:
    assert logs("printf 'caf\\303'; sleep 0.3; printf '\\251\\n'") == 0
    assert capfd.readouterr().out == "café\n"
