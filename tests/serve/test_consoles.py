"""What a server wrote on its console: from its host, as little of it as is asked for, and for nobody else."""

from __future__ import annotations

import asyncio
import os
from asyncio.subprocess import PIPE
from types import SimpleNamespace
from typing import Any, cast

import pytest
from tests.serve.served import Reply, Site

from stead.core.address import Address
from stead.core.recorded import Record
from stead.core.value import replace
from stead.serve.compute import consoles
from stead.serve.faults import Fault
from stead.serve.grants import MOST_OF_ONE, ConsoleForm, ConsoleGrants
from stead.serve.portal import consoles as portal

SAID = b"booting\nred \xff\nlogin:"


@pytest.fixture(scope="module")
def server(site: Site) -> str:
    tiny = site.call("GET", "/compute/v2.1/flavors", None, "bob")[2]["flavors"][1]["id"]
    image = site.call("GET", "/image/v2/images", None, "bob")[2]["images"][0]["id"]
    body = {"server": {"name": "s", "flavorRef": tiny, "imageRef": image, "networks": "none"}}
    made: str = site.call("POST", "/compute/v2.1/servers", body, "bob")[2]["server"]["id"]
    assert site.worker.wait_idle(30)
    return made


@pytest.fixture
def writing(site: Site, monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, int]]:
    """What is read of hosts."""
    asked: list[tuple[str, int]] = []

    def read(record: Record, most: int) -> bytes:
        asked.append((record.host, most))
        return SAID

    monkeypatch.setattr(site.cloud, "means", replace(site.means, console_log=read))
    return asked


def output(site: Site, server: str, said: Any, who: str = "bob") -> Reply:
    return site.call("POST", f"/compute/v2.1/servers/{server}/action", {"os-getConsoleOutput": said}, who)


@pytest.mark.parametrize(
    ("said", "text"),
    [
        ({}, "booting\nred �\nlogin:"),
        (None, "booting\nred �\nlogin:"),
        ({"length": -1}, "booting\nred �\nlogin:"),
        ({"length": 1}, "red �\nlogin:"),
        ({"length": "0"}, "login:"),
        ({"length": 99}, "booting\nred �\nlogin:"),
    ],
)
def test_the_last_lines_are_shown(
    site: Site, server: str, writing: list[tuple[str, int]], said: Any, text: str
) -> None:
    status, _, answer = output(site, server, said)
    assert (status, answer) == (200, {"output": text})
    assert writing == [("compute-1", consoles.MOST)]


def test_simulated_guests_write_nothing(site: Site, server: str) -> None:
    assert output(site, server, {})[0] == 404


def test_it_is_its_own_projects(site: Site, server: str, writing: list[tuple[str, int]]) -> None:
    assert [output(site, server, {}, who)[0] for who in ("eve", "ray")] == [404, 403]
    assert output(site, server, {"length": "many"})[0] == 400
    assert writing == []


def test_slow_hosts_take_up_only_some_threads(
    site: Site, server: str, writing: list[tuple[str, int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    class Full:
        def acquire(self, timeout: float) -> bool:
            return timeout < 0

    monkeypatch.setattr(consoles, "_slots", Full())
    status, headers, _ = output(site, server, {})
    assert (status, headers["x-stead-code"], writing) == (429, "STEAD-W012", [])


def test_one_user_does_not_take_up_what_waits_of_all() -> None:
    grants = ConsoleGrants()
    thing = SimpleNamespace(address=Address("bobs", "instances", "s"), id="s", name="s")

    def ask(user: str) -> None:
        grants.give(cast("Any", SimpleNamespace(user=user)), cast("Any", thing), ConsoleForm.SERIAL)

    for _ in range(MOST_OF_ONE):
        ask("bob")
    with pytest.raises(Fault, match="Too many consoles"):
        ask("bob")
    ask("eve")


def test_a_console_that_takes_no_signal_ends_with_what_is_typed(monkeypatch: pytest.MonkeyPatch) -> None:
    """As root's does, by sudo, where a host is the machine of the server itself."""

    def refuse(_group: int, _signal: int) -> None:
        raise PermissionError

    async def run() -> int | None:
        process = await asyncio.create_subprocess_exec("cat", stdin=PIPE, stdout=PIPE, start_new_session=True)
        await portal._ended(process)
        return process.returncode

    monkeypatch.setattr(os, "killpg", refuse)
    assert asyncio.run(run()) == 0
