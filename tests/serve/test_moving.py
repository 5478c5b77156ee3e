"""Servers that an admin moves: as planned, once, and told."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.serve.served import INVENTORY, Site, write_site
from tests.serve.test_worker import wanted

from stead.core.effect import Action
from stead.runner.simulated_model import FaultKind, SimulatedFault
from stead.serve import notes
from stead.serve.edits import Who

TWO = INVENTORY.replace(
    "compute-1: {stead_vcpus: 48, stead_memory: 128GiB}",
    "compute-1: {stead_vcpus: 48, stead_memory: 128GiB}, compute-2: {stead_vcpus: 48, stead_memory: 128GiB}",
)


@pytest.fixture
def two(tmp_path: Path) -> Iterator[Site]:
    folder = write_site(tmp_path)
    (folder / "inventory.yml").write_text(TWO, encoding="utf-8")
    found = Site(folder)
    yield found
    found.close()


def _made(site: Site) -> str:
    server: str = site.call("POST", "/compute/v2.1/servers", {"server": wanted(site)}, "bob")[2]["server"]["id"]
    assert site.worker.wait_idle(30)
    return server


def _act(site: Site, server: str, action: dict[str, Any], who: str = "ada") -> int:
    status = site.call("POST", f"/compute/v2.1/servers/{server}/action", action, who)[0]
    assert site.worker.wait_idle(30)
    return status


def _shown(site: Site, server: str) -> Any:
    return site.call("GET", f"/compute/v2.1/servers/{server}", None, "ada")[2]["server"]


def _move(source: str, to: str) -> dict[str, Any]:
    return {"id": "abcdef0", "from": source, "to": to, "status": notes.ACCEPTED, "created": 0.0, "updated": 0.0}


def _other(host: str) -> str:
    return "compute-2" if host == "compute-1" else "compute-1"


def test_a_server_goes_to_another_host_and_keeps_what_it_is(two: Site) -> None:
    server = _made(two)
    before = _shown(two, server)
    here = before["OS-EXT-SRV-ATTR:host"]
    assert _act(two, server, {"os-migrateLive": {"host": None, "block_migration": "auto"}}) == 202
    after = _shown(two, server)
    assert (after["status"], after["OS-EXT-SRV-ATTR:host"]) == ("ACTIVE", _other(here))
    assert after["addresses"] == before["addresses"]
    (told,) = two.call("GET", "/compute/v2.1/os-migrations", None, "ada")[2]["migrations"]
    assert (told["status"], told["source_compute"], told["dest_compute"]) == ("completed", here, _other(here))
    plans = two.worker.plans
    two.worker.wake()
    assert two.worker.wait_idle(30)
    assert two.worker.plans == plans  # once


def test_what_is_off_moves_as_well_and_what_is_suspended_does_not(two: Site) -> None:
    server = _made(two)
    assert _act(two, server, {"os-stop": None}, "bob") == 202
    here = _shown(two, server)["OS-EXT-SRV-ATTR:host"]
    assert _act(two, server, {"migrate": None}) == 202
    assert _shown(two, server)["OS-EXT-SRV-ATTR:host"] == _other(here)
    assert _act(two, server, {"os-start": None}, "bob") == 202
    assert _act(two, server, {"suspend": None}, "bob") == 202
    assert _act(two, server, {"migrate": None}) == 409


def test_a_move_that_cannot_be_done_is_told_and_not_tried_again(two: Site) -> None:
    server, cloud = _made(two), two.cloud
    here = _shown(two, server)["OS-EXT-SRV-ATTR:host"]
    key = next(iter(cloud.world().documents["bobs"].content["instances"]))
    cloud.edit("bobs", Who("tests", ""), "move", notes.began(key, _move(here, "none")))
    assert two.worker.wait_idle(30)
    (told,) = two.call("GET", "/compute/v2.1/os-migrations", None, "ada")[2]["migrations"]
    assert told["status"] == "error"
    assert _shown(two, server)["OS-EXT-SRV-ATTR:host"] == here
    assert _shown(two, server)["status"] == "ACTIVE"


def test_a_killed_server_goes_on_with_a_move(two: Site) -> None:
    """It is planned from the documents: here the one that dies has done the move, and not written it down."""
    server, cloud = _made(two), two.cloud
    here = _shown(two, server)["OS-EXT-SRV-ATTR:host"]
    assert _act(two, server, {"migrate": None}) == 202
    key = next(iter(cloud.world().documents["bobs"].content["instances"]))
    plans = two.worker.plans
    cloud.edit("bobs", Who("tests", ""), "move", notes.began(key, _move(here, _other(here))))
    assert two.worker.wait_idle(30)
    assert two.worker.plans == plans
    told = two.call("GET", "/compute/v2.1/os-migrations", None, "ada")[2]["migrations"]
    assert [one["status"] for one in told] == ["completed", "completed"]
    happened = cloud.store.history(next(one for one in cloud.world().made if one.kind == "instances"))
    assert len({event.run for event in happened if event.what == Action.MIGRATE}) == 1


def test_what_fails_in_one_project_halts_no_server_of_another(two: Site) -> None:
    """A reboot is two plans, and a move comes after all else: neither waits for what others cannot have."""
    server = _made(two)
    here = _shown(two, server)["OS-EXT-SRV-ATTR:host"]
    of_eve = two.call("POST", "/compute/v2.1/servers", {"server": wanted(two, "eve")}, "eve")[2]["server"]["id"]
    assert two.worker.wait_idle(30)
    key = next(iter(two.cloud.world().documents["eves"].content["instances"]))
    fault = SimulatedFault(FaultKind.FAIL, address=f"eves/instances/{key}", times=1000, error="no such file")
    runner: Any = two.means.runner  # a simulated one
    runner.state.inject(fault)
    assert two.call("POST", f"/compute/v2.1/servers/{of_eve}/action", {"os-stop": None}, "eve")[0] == 202
    assert two.call("POST", f"/compute/v2.1/servers/{server}/action", {"reboot": {"type": "HARD"}}, "bob")[0] == 202
    eventually(lambda: _state(two, server) == ("ACTIVE", None))
    made = two.cloud.store.history(
        next(one for one in two.cloud.world().made if one.name != key and one.kind == "instances")
    )
    assert [event.what for event in made] == [Action.CREATE, Action.UPDATE, Action.UPDATE]
    assert two.call("POST", f"/compute/v2.1/servers/{server}/action", {"migrate": None}, "ada")[0] == 202
    eventually(lambda: _state(two, server) == ("ACTIVE", None))
    assert _shown(two, server)["OS-EXT-SRV-ATTR:host"] == _other(here)


def _state(site: Site, server: str) -> tuple[str, str | None]:
    told = _shown(site, server)
    return told["status"], told["OS-EXT-STS:task_state"]


def eventually(is_so: Callable[[], bool]) -> None:
    until = time.monotonic() + 20
    while not is_so():
        assert time.monotonic() < until
        time.sleep(0.05)
