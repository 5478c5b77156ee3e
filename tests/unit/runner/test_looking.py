"""How `stead watch` looks at hosts: a greeting on the way of Ansible, and what a neighbour says of the others."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from stead.core.observed import Host
from stead.site.inventory import Inventory
from stead.watch.looking import RealEyes


@pytest.fixture
def greeting() -> Iterator[int]:
    """The port of something that greets as sshd does."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def greet() -> None:
            while True:
                try:
                    link, _ = server.accept()
                except OSError:
                    return
                with link:
                    link.sendall(b"SSH-2.0-test\r\n")

        threading.Thread(target=greet, daemon=True).start()
        yield int(server.getsockname()[1])


@pytest.mark.parametrize(
    ("script", "views"),
    [("exit 1", (False,)), ("printf SSH-", (True,)), ("exit 124", (False,)), ("exit 255", ())],
)
def test_neighbours_that_answer_tell_of_those_that_do_not(
    greeting: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str, views: tuple[bool, ...]
) -> None:
    program = tmp_path / "ssh"
    program.write_text(f'#!/bin/sh\necho "$@" >{tmp_path}/asked\n{script}\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    with socket.create_server(("127.0.0.1", 0)) as closed:
        nobody = closed.getsockname()[1]
    hosts = {name: Host(name=name, roles=frozenset({"compute"}), underlay="127.0.0.1") for name in ("a", "b")}
    ways = {"a": {"ansible_port": greeting}, "b": {"ansible_port": nobody}}
    connections = {name: {"ansible_host": "127.0.0.1", **way} for name, way in ways.items()}
    sight = RealEyes(Inventory(hosts=hosts, connections=connections, sources=())).look(hosts)
    assert sight.answers == {"a"}
    assert sight.views == ({"b": views})
    assert f"/dev/tcp/127.0.0.1/{nobody}" in (tmp_path / "asked").read_text()
