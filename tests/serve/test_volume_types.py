"""Volume types are pools: who sees which, and volumes that go from one to another."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from tests.serve.served import INVENTORY, SITE, Site, write_site

from stead.serve.begin import begun
from stead.serve.edits import Who

POOLS = "stead_memory: 128GiB, stead_pools: {default: {size: 100GiB}, fast: {size: 100GiB}, slow: {size: 100GiB}}"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder = write_site(tmp_path_factory.mktemp("types"))
    (folder / "inventory.yml").write_text(INVENTORY.replace("stead_memory: 128GiB", POOLS), encoding="utf-8")
    found = Site(folder)
    (folder / "stead.yml").write_text(f"{SITE}grants: {{bobs: {{pools: [fast]}}}}\n", encoding="utf-8")
    begun(found.cloud, Who("tests", ""), "any")  # the files are read with the next change
    yield found
    found.close()


def ask(site: Site, who: str, method: str, path: str, body: Any = None) -> tuple[int, Any]:
    where = {"bob": "bobs", "eve": "eves", "ada": "adas", "ray": "bobs"}[who]
    status, _headers, answer = site.call(method, f"/volume/v3/{site.projects[where]}/{path}", body, who)
    return status, answer


def made(site: Site, who: str, **fields: Any) -> Any:
    status, answer = ask(site, who, "POST", "volumes", {"volume": {"size": 1, **fields}})
    assert status == 202, answer
    assert site.worker.wait_idle(30)
    return answer["volume"]


def retyped(site: Site, who: str, volume: str, **said: Any) -> tuple[int, Any]:
    return ask(site, who, "POST", f"volumes/{volume}/action", {"os-retype": said})


@pytest.mark.parametrize(
    ("who", "names"), [("bob", ["default", "fast"]), ("eve", ["default"]), ("ada", ["default", "fast", "slow"])]
)
def test_each_sees_the_pools_that_it_may_use(site: Site, who: str, names: list[str]) -> None:
    _, answer = ask(site, who, "GET", "types")
    assert [one["name"] for one in answer["volume_types"]] == names
    for one in answer["volume_types"]:
        for asked in (one["id"], one["name"]):
            assert ask(site, who, "GET", f"types/{asked}") == (200, {"volume_type": one})
    assert ask(site, who, "GET", "types/other")[0] == 404


def test_a_volume_is_in_the_pool_of_its_type_and_its_copies_too(site: Site) -> None:
    first = made(site, "bob", volume_type="fast")
    assert first["volume_type"] == "fast"
    assert made(site, "bob", source_volid=first["id"])["volume_type"] == "fast"
    assert made(site, "bob")["volume_type"] == "default"
    assert ask(site, "eve", "POST", "volumes", {"volume": {"size": 1, "volume_type": "fast"}})[0] == 404


def test_a_volume_moves_to_the_pool_of_its_new_type(site: Site) -> None:
    volume = made(site, "bob")["id"]
    assert retyped(site, "bob", volume, new_type="fast", migration_policy="on-demand")[0] == 202
    assert site.worker.wait_idle(30)
    _, answer = ask(site, "bob", "GET", f"volumes/{volume}")
    assert (answer["volume"]["id"], answer["volume"]["volume_type"]) == (volume, "fast")
    assert answer["volume"]["status"] == "available"
    assert retyped(site, "bob", volume, new_type="default", migration_policy="on-demand")[0] == 202


@pytest.mark.parametrize(
    ("who", "said", "status", "text"),
    [
        ("bob", {}, 400, "needs new_type"),
        ("bob", {"new_type": ["fast"]}, 400, "needs new_type"),
        ("bob", {"new_type": "slow", "migration_policy": "on-demand"}, 404, "Volume type"),
        ("bob", {"new_type": "default", "migration_policy": "on-demand"}, 400, "has the type default already"),
        ("bob", {"new_type": "fast", "migration_policy": "never"}, 400, "has to be on-demand"),
        ("eve", {"new_type": "default", "migration_policy": "on-demand"}, 404, "Volume"),
        ("ray", {"new_type": "fast", "migration_policy": "on-demand"}, 403, ""),
    ],
)
def test_what_cannot_be_is_refused(site: Site, who: str, said: Any, status: int, text: str) -> None:
    volume = made(site, "bob")["id"]
    got, answer = retyped(site, who, volume, **said)
    assert got == status
    assert text in str(answer)


def test_a_volume_that_a_server_uses_stays(site: Site) -> None:
    volume = made(site, "bob")["id"]
    _, _, flavors = site.call("GET", "/compute/v2.1/flavors", None, "bob")
    _, _, images = site.call("GET", "/image/v2/images", None, "bob")
    flavor = next(one["id"] for one in flavors["flavors"] if one["name"] == "tiny")
    server = {"name": "db", "flavorRef": flavor, "imageRef": images["images"][0]["id"], "networks": "none"}
    status, _, answer = site.call("POST", "/compute/v2.1/servers", {"server": server}, "bob")
    assert status == 202, answer
    body = {"os-attach": {"instance_uuid": answer["server"]["id"], "mountpoint": "/dev/vdb"}}
    assert ask(site, "bob", "POST", f"volumes/{volume}/action", body)[0] == 202
    got, told = retyped(site, "bob", volume, new_type="fast", migration_policy="on-demand")
    assert got == 400
    assert f"server {answer['server']['id']} uses {volume}. Stop it first." in str(told)


def test_a_volume_has_a_copy_of_what_its_type_says(site: Site) -> None:
    """Also when the type says something else later, or is gone."""
    specs = {"volume_backend_name": "fast", "multiattach": "<is> True"}
    gold = ask(site, "ada", "POST", "types", {"volume_type": {"name": "gold", "extra_specs": specs}})[1]["volume_type"]
    said = {"name": "q", "consumer": "both", "total_iops_sec": "500", "read_bytes_sec": 1048576}
    qos = ask(site, "ada", "POST", "qos-specs", {"qos_specs": said})[1]["qos_specs"]["id"]
    assert ask(site, "ada", "GET", f"qos-specs/{qos}/associate?vol_type_id={gold['id']}")[0] == 202
    volume = made(site, "bob", volume_type="gold")
    assert (volume["volume_type"], volume["multiattach"]) == ("gold", True)
    assert ask(site, "eve", "POST", "volumes", {"volume": {"size": 1, "volume_type": "gold"}})[0] == 404  # no grant
    assert ask(site, "ada", "DELETE", f"types/{gold['id']}")[0] == 202
    assert ask(site, "ada", "DELETE", f"qos-specs/{qos}")[0] == 202
    world = site.cloud.world()
    model = world.find("volumes", volume["id"], "bobs", what="Volume").model
    assert (model.pool, model.shareable, model.qos.iops, model.qos.read_throughput) == ("fast", True, 500, 1 << 20)
    assert ask(site, "bob", "GET", f"volumes/{volume['id']}")[1]["volume"]["volume_type"] == "gold"
    assert retyped(site, "bob", volume["id"], new_type="fast")[0] == 202
    assert site.worker.wait_idle(30)
    model = site.cloud.world().find("volumes", volume["id"], "bobs", what="Volume").model
    assert (model.pool, model.shareable, model.qos) == ("fast", False, None)
