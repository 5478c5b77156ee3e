"""`stead init --here`: files for a cloud on this very machine."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest
import yaml

from stead.cli import main
from stead.cli.common import own_machine
from stead.site.ssh import ssh


def test_the_files_plan_and_apply_as_they_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """On a simulated host of the same name: the real one is the lab's to try."""
    assert main(["init", "--here", "-C", str(tmp_path)]) == 0
    told = capsys.readouterr()
    assert "stead bootstrap" in told.err
    monkeypatch.chdir(tmp_path)
    inventory = yaml.safe_load(Path("inventory.yml").read_text(encoding="utf-8"))
    (name, machine), *others = inventory["all"]["hosts"].items()
    assert not others
    assert machine["ansible_connection"] == "local"
    assert machine["ansible_become"] is (os.geteuid() != 0)
    assert {role for role, group in inventory["all"]["children"].items() if name in group["hosts"]} == {
        "controller", "compute", "storage", "network",
    }  # fmt: skip
    del machine["ansible_connection"]
    machine |= {"stead_runner": "simulated", "stead_hypervisors": ["qemu"]}
    Path("inventory.yml").write_text(yaml.safe_dump(inventory), encoding="utf-8")
    assert main(["apply", "--auto-approve"]) == 0, capsys.readouterr().err
    assert f"http://{machine['stead_underlay_address']}:8080/" in capsys.readouterr().out
    assert main(["plan", "--detailed-exitcode"]) == 0


def test_nothing_that_exists_is_overwritten(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "stead.yml").write_text("mine", encoding="utf-8")
    assert main(["init", "--here", "-C", str(tmp_path)]) == 1
    assert "STEAD-C050" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["stead.yml"]


@pytest.mark.parametrize(
    ("name", "said"),
    [("laptop.example.org", "laptop"), ("compute", "here"), ("localhost.localdomain", "here"), ("a b; c", "here")],
)
def test_the_host_is_called_as_the_machine_unless_that_means_something_else(
    monkeypatch: pytest.MonkeyPatch, name: str, said: str
) -> None:
    monkeypatch.setattr(socket, "gethostname", lambda: name)
    assert own_machine.told()["name"] == said


def test_name_servers_on_the_machine_itself_are_not_for_instances(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = {"stub": "nameserver 127.0.0.53\n", "real": "# by hand\nnameserver 192.0.2.53\nnameserver fd00::1\n"}
    for name, text in files.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    monkeypatch.setattr(own_machine, "_NAME_SERVERS", tuple(str(tmp_path / name) for name in (*files, "none")))
    assert own_machine.told()["dns"] == "192.0.2.53"


def test_a_command_on_a_host_that_is_this_machine_needs_no_ssh() -> None:
    here = {"ansible_connection": "local", "ansible_become": True}
    assert ssh("one", here, ["cat", "'a b'"], options=("-t",)) == ["sudo", "-n", "sh", "-c", "cat 'a b'"]
    assert ssh("one", {"ansible_host": "10.0.0.1"}, ["true"])[0] == "ssh"
