"""What HAProxy says of its servers, read at its socket: here a program in its place."""

from __future__ import annotations

import json
import socket
import threading
from pathlib import Path

import pytest

from ansible_collections.stead.cloud.plugins.module_utils.host.net import runtime_socket
from ansible_collections.stead.cloud.plugins.module_utils.host.net.backends import backends
from ansible_collections.stead.cloud.plugins.module_utils.host.observe import metrics

UUID = "11111111-1111-8111-8111-111111111111"
SAID = (
    "# pxname,svname,scur,stot,bin,bout,status,lastchg,check_status,check_desc\n"
    "web,web-0:80,1,7,100,200,UP,30,L7OK,Layer7 check passed\n"
    "web,web-1:80,0,,0,0,DOWN 1/2,5,L4TOUT,\n"
    "\n"
)


@pytest.fixture
def haproxy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What it was asked."""
    asked: list[str] = []
    monkeypatch.chdir(tmp_path)  # the path of a socket is short
    monkeypatch.setattr(runtime_socket, "path", lambda uuid: f"{uuid}.sock")
    door = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    door.bind(f"{UUID}.sock")
    door.listen()

    def answer() -> None:
        wire, _who = door.accept()
        with wire:
            asked.append(wire.recv(100).decode())
            wire.sendall(SAID.encode())
        door.close()

    threading.Thread(target=answer, daemon=True).start()
    return asked


def test_each_server_has_a_state_and_numbers(haproxy: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert metrics.main(["backends", UUID]) == 0
    one, other = json.loads(capsys.readouterr().out)["backends"]
    assert haproxy == ["show stat -1 4 -1\n"]
    assert one == {
        "listener": "web",
        "member": "web-0:80",
        "state": "up",
        "check": "Layer7 check passed",
        "since": 30,
        "sessions": 1,
        "total": 7,
        "bytes_in": 100,
        "bytes_out": 200,
    }
    assert (other["state"], other["total"], other["check"]) == ("down", 0, "L4TOUT")


def test_of_one_that_does_not_run_nothing_is_said() -> None:
    assert backends("22222222-1111-8111-8111-111111111111") == []


@pytest.mark.parametrize("value", ["../../etc/x", "", "a b"])
def test_what_is_no_uuid_opens_no_socket(value: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert metrics.main(["backends", value]) == 2
    assert "usage" in capsys.readouterr().err
