"""The ledger when a file of it is broken: the others count, and nobody takes what cannot be read for gone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ansible_collections.stead.cloud.plugins.module_utils.host.base import ledger, paths
from ansible_collections.stead.cloud.plugins.module_utils.host.base.errors import Failed
from ansible_collections.stead.cloud.plugins.module_utils.host.base.step import Origin
from ansible_collections.stead.cloud.plugins.module_utils.host.kinds import table
from ansible_collections.stead.cloud.plugins.module_utils.host.observe import facts, looking
from ansible_collections.stead.cloud.plugins.module_utils.host.run import origin, restoring


@pytest.fixture(autouse=True)
def host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Three networks, of which the second says nothing any more."""
    monkeypatch.setattr(paths, "ROOT", str(tmp_path))
    monkeypatch.setattr(paths, "LOCK", str(tmp_path / "lock"))
    monkeypatch.setattr(ledger, "LEDGER", str(tmp_path / "ledger"))
    for name in ("0a", "0b", "0c"):
        ledger.keep(ledger.entry(f"acme/networks/n{name}", name, "networks", "d", {"uuid": name}))
    (tmp_path / "ledger" / "networks" / "0b.json").write_text('{"address": "acme/netw')
    return tmp_path


class Restored:
    def __init__(self) -> None:
        self.made = list[str]()

    def restore(self, step: Any, _work: Any) -> None:
        self.made.append(step["address"])


def test_a_boot_brings_back_all_that_can_be_read(monkeypatch: pytest.MonkeyPatch) -> None:
    restored, known = Restored(), table.KINDS
    monkeypatch.setitem(known, "networks", known["networks"]._replace(restore=restored.restore))
    failures = restoring.restore(("networks",))
    assert restored.made == ["acme/networks/n0a", "acme/networks/n0c"]
    assert [what for what, _said in failures] == ["networks"]
    assert "0b.json is not JSON" in failures[0][1]


def test_nothing_is_said_of_a_host_of_which_something_cannot_be_read() -> None:
    look, unread = looking.Look("compute-1"), list[str]()
    assert [made["uuid"] for made in facts._ledger(look, unread)] == ["0a", "0c"]
    assert "0b.json is not JSON" in look.blind
    assert look.trouble == [look.blind] == unread


@pytest.mark.parametrize(("there", "said"), [({}, {"lost": True}), (None, {"lost": True, "gone": True})])
def test_what_the_ledger_lost_is_looked_for_where_the_store_knows_it(
    monkeypatch: pytest.MonkeyPatch, there: dict[str, Any] | None, said: dict[str, bool]
) -> None:
    """Though a step that did not end says that it was to be otherwise."""
    monkeypatch.setattr(facts, "_seen", lambda made, _look: there if made["want"] == {"size": 1} else {})
    monkeypatch.setattr(looking.Look, "expects_guests", lambda _self: False)  # no libvirt of this machine's
    made = ledger.entry("acme/volumes/data", "0d", "volumes", "d", {"size": 1})
    ledger.begin({**made, "want": {"size": 2}})
    assert facts._resources(looking.Look("storage-1"), [made], [])["volumes"] == [{**made, **said}]


def test_what_the_ledger_lost_tells_others_too_what_they_are() -> None:
    """A router whose ledger is gone has not got strangers in its maps, nor a floating IP no router."""
    network = ledger.entry("acme/networks/n0a", "0a", "networks", "d", {"type": "vxlan", "uuid": "0a"})
    floating = ledger.entry("acme/floating_ips/www", "0f", "floating_ips", "d", {"router": {"uuid": "0e"}})
    now = looking.Look("network-1", [network, floating]).now
    assert (now.entry("networks", "0a") or {}).get("address") == "acme/networks/n0a"
    assert now.entries("floating_ips") == [floating]
    assert now.entry("floating_ips", "0f") == floating
    assert now.entry("floating_ips", "0a") is None


def test_of_what_nobody_can_see_nothing_is_vouched_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(looking.Look, "expects_guests", lambda _self: False)
    made = ledger.entry("acme/floats/www", "0d", "floats", "d", {})
    assert facts._resources(looking.Look("network-1"), [made], [])["floats"] == [{**made, "lost": True, "gone": True}]


def test_whoever_needs_all_of_it_is_told_what_is_broken() -> None:
    with pytest.raises(Failed, match=r"0b\.json is not JSON"):
        ledger.everything("networks")


def test_a_host_belongs_to_its_site_for_as_long_as_it_has_something_of_it(
    host: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(origin, "PATH", str(host / "site.json"))
    monkeypatch.setattr(origin, "KEY", str(host / "key"))
    said: Origin = {"site": "s", "serial": 3, "token": "t"}
    origin.keep(said, "key")
    for name in ("0a", "0b", "0c"):
        origin.release()
        assert origin.read() == said
        ledger.forget("networks", name)
    origin.release()
    assert origin.read() is None
    assert origin.key() == ""
