"""Servers that an admin moves: as planned, once, and told."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.serve.served import INVENTORY, Site, write_site
from tests.serve.test_worker import wanted

from stead.core.effect import Action
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
    again = {
        "id": "abcdef0",
        "from": here,
        "to": _other(here),
        "status": notes.ACCEPTED,
        "created": 0.0,
        "updated": 0.0,
    }
    plans = two.worker.plans
    cloud.edit("bobs", Who("tests", ""), "move", notes.began(key, again))
    assert two.worker.wait_idle(30)
    assert two.worker.plans == plans
    told = two.call("GET", "/compute/v2.1/os-migrations", None, "ada")[2]["migrations"]
    assert [one["status"] for one in told] == ["completed", "completed"]
    happened = cloud.store.history(next(one for one in cloud.world().made if one.kind == "instances"))
    assert len({event.run for event in happened if event.what == Action.MIGRATE}) == 1
