"""What the module `instance` tells the host to wait for is what a plan would tell it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.stead.cloud.plugins.module_utils.arguments.instance import OPTIONS
from ansible_collections.stead.cloud.plugins.module_utils.host.base import ledger
from ansible_collections.stead.cloud.plugins.module_utils.host.base.errors import Failed
from ansible_collections.stead.cloud.plugins.module_utils.host.run import standalone, waiting
from ansible_collections.stead.cloud.plugins.modules import instance

ADDRESS = "acme/instances/web"
NIC = {"network": "app", "mac": "52:54:00:00:00:01", "address": "10.20.0.11/24", "mtu": 1450, "model": "virtio"}
BARE = {"timeout": 300, "source": None, "port": None, "path": None, "status": None}
GIVEN: dict[str, Any] = {
    **{name: one.get("default") for name, one in OPTIONS.items()},
    "name": "web", "project": "acme", "image": "debian-12", "networks": [NIC], "volumes": [],
}  # fmt: skip


@pytest.fixture(autouse=True)
def _empty_ledger(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ledger, "LEDGER", str(tmp_path))


def wanted(**wait: Any) -> dict[str, Any]:
    given = {**GIVEN, "wait": {**BARE, **wait}} if wait else GIVEN
    want: dict[str, Any] = instance.wanted(given, ADDRESS, False)
    return want


def test_without_a_wait_nothing_is_waited_for() -> None:
    assert not waiting.is_needed(wanted())


@pytest.mark.parametrize(
    ("given", "shown", "more"),
    [
        ({"for": "agent"}, "agent", {}),
        ({"for": "ssh", "source": "10.20.0.253/24"}, "ssh on port 22", {}),
        ({"for": "http", "source": "10.20.0.253/24", "port": 8080}, "http on port 8080 at /", {}),
        ({"for": "http", "source": "10.20.0.253/24", "status": 204}, "http on port 80 at /", {"status": 204}),
    ],
)
def test_the_host_is_told_what_to_look_at(given: dict[str, Any], shown: str, more: dict[str, Any]) -> None:
    want = wanted(**given)
    assert waiting.is_needed(want)
    assert waiting.shown(want["wait"]) == shown
    assert want["wait"].items() >= {"timeout": 300, **more}.items()


def test_it_is_looked_at_in_the_network_of_the_source() -> None:
    want = wanted(**{"for": "address", "source": "10.20.0.253/24"})
    words = want["wait"]
    assert words["from"]["address"] == "10.20.0.253/24"
    assert words["nic"] in want["nics"]

    class Stands:
        def at(self, uuid: str, source: dict[str, str], mtu: int) -> str:
            assert (uuid, mtu) == (standalone.uuid_of("acme/networks/app"), 1450)
            assert source["mac"].startswith("52:54:")
            return "there"

    stands: Any = Stands()
    assert waiting._stand(want, stands) == ("there", 4, "10.20.0.11", NIC["mac"])


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"for": "ssh"}, "Write source"),
        ({"for": "ssh", "source": "10.30.0.253/24"}, "No interface has an address in 10.30.0.0/24"),
        ({"for": "ssh", "source": "10.20.0.11/24"}, "STEAD-E504: 10.20.0.11 is the instance's own address"),
        ({"for": "agent", "port": 22}, "port applies to ssh and http"),
        ({"for": "ssh", "path": "/"}, "path applies to http"),
        ({"for": "agent", "timeout": 0}, "With a timeout of 0"),
    ],
)
def test_what_cannot_be_waited_for_is_refused(given: dict[str, Any], said: str) -> None:
    with pytest.raises(Failed, match=re.escape(said)):
        wanted(**given)


def test_what_is_left_out_is_what_it_always_was() -> None:
    """An instance of an older version is not changed by a task that says nothing new."""
    want = wanted()
    assert {name: want[name] for name in ("agent", "boot", "cpu", "graphics", "max_memory", "tpm", "watchdog")} == {
        "agent": True,
        "boot": ["disk"],
        "cpu": "host-model",
        "graphics": "none",
        "max_memory": 1 << 30,
        "tpm": False,
        "watchdog": "none",
    }
    assert not {"hugepages", "topology", "wait", "properties"} & set(want)
    assert "bandwidth" not in next(iter(want["nics"].values()))


def test_what_a_task_says_is_in_the_want_as_a_plan_would_write_it() -> None:
    said = {"max_memory": "2GiB", "tpm": True, "firmware": "uefi", "architecture": "aarch64", "hostname": "w1"}
    shape = {"topology": {"sockets": 1, "cores": 2, "threads": 1}}
    given = {**GIVEN, **said, **shape, "networks": [{**NIC, "bandwidth": 100}]}
    want = instance.wanted(given, ADDRESS, False)
    assert want.items() >= {**said, **shape, "max_memory": 2 << 30, "machine": "virt"}.items()
    assert next(iter(want["nics"].values()))["bandwidth"] == 100
