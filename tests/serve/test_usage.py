"""The API's usage agrees with the command's, over a history that is made up, whatever the pages."""

from __future__ import annotations

import random
from typing import Any

import pytest
from tests.serve.served import Site

from stead.core.address import Address
from stead.core.metered import Metered
from stead.usage.spans import usage

DAY = 86_400.0
START = 1_767_225_600.0  # 2026-01-01
WHEN = "start=2026-01-03T00:00:00&end=2026-01-20T00:00:00"
PLACE = "/compute/v2.1/os-simple-tenant-usage"


def history() -> list[Metered]:
    chance, found = random.Random(7), []  # noqa: S311
    for number in range(40):
        address = Address("bobs", "instances", f"s{number % 25}")
        for at in sorted(chance.uniform(0, 25) for _ in range(4)):
            vcpus = chance.choice([1, 2, 8])
            amounts = {"instances:tiny": 1, "vcpus": vcpus, "memory": vcpus << 30, "disks:fast": 5 << 30}
            found.append(Metered(address, f"uuid-{number}", chance.choice([amounts, amounts, {}]), START + at * DAY))
    return sorted(found, key=lambda one: one.at)


@pytest.mark.parametrize("limit", [1, 7, 1000])
def test_pages_add_up_to_what_the_command_computes(own_site: Site, monkeypatch: pytest.MonkeyPatch, limit: int) -> None:
    told = history()
    store = type(own_site.cloud.store)
    monkeypatch.setattr(store, "metered", lambda _self, _project=None: told)
    expected = usage(told, START + 2 * DAY, START + 19 * DAY, START + 30 * DAY).projects["bobs"]
    path, pages = f"{PLACE}/{own_site.projects['bobs']}?{WHEN}&limit={limit}", []
    while path:
        status, _, answer = own_site.call("GET", path, None, "bob")
        assert status == 200
        pages.append(answer["tenant_usage"])
        links: list[dict[str, Any]] = answer.get("tenant_usage_links", [])
        path = links[0]["href"][links[0]["href"].index(PLACE) :] if links else ""
    servers = [one for page in pages for one in page["server_usages"]]
    assert len(servers) == len({one["instance_id"] for one in servers})
    assert all(len(page["server_usages"]) <= limit for page in pages)
    totals = {name: sum(page[name] for page in pages) for name in pages[0] if name.startswith("total_")}
    assert totals == pytest.approx(
        {
            "total_hours": expected["instances:tiny"],
            "total_vcpus_usage": expected["vcpus"],
            "total_memory_mb_usage": expected["memory"] / (1 << 20),
            "total_local_gb_usage": expected["disks:fast"] / (1 << 30),
        }
    )
    assert sum(one["hours"] for one in servers) == pytest.approx(expected["instances:tiny"])
