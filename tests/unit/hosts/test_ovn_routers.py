"""What OVN's database is told of routers and floating IPs. What packets do is in tests/lab/test_ovn_routers.py."""

from __future__ import annotations

from itertools import chain
from types import SimpleNamespace
from typing import Any

import pytest

from ansible_collections.stead.cloud.plugins.module_utils.host.base.errors import Failed
from ansible_collections.stead.cloud.plugins.module_utils.host.base.work import Work
from ansible_collections.stead.cloud.plugins.module_utils.host.net import drivers
from ansible_collections.stead.cloud.plugins.module_utils.host.net.ovn import (
    floating_ips,
    nat,
    ovsdb,
    physical,
    routers,
    rows,
    switches,
)
from ansible_collections.stead.cloud.plugins.module_utils.host.net.ovn.naming import (
    physical_bridge,
    port_name,
    router_port_name,
)
from stead.core.observed import Host, HostStatus
from stead.drivers.network import Layout, named

INNER, OUTER, FLOATING = "52:54:00:00:00:01", "52:54:00:00:00:02", "52:54:00:00:00:03"
APP, PUBLIC, EDGE, WWW = (f"{n}1111111-0000-4000-8000-000000000001" for n in range(1, 5))
WANT: dict[str, Any] = {
    "uuid": EDGE,
    "name": "acme/routers/edge",
    "driver": "ovn",
    "interfaces": {
        "acme/networks/app": {"addresses": ["10.20.0.1/24"], "mac": INNER, "network_uuid": APP, "mtu": 1442}
    },
    "external": {
        "addresses": ["203.0.113.5/24"],
        "mac": OUTER,
        "network_uuid": PUBLIC,
        "mtu": 1500,
        "gateways": ["203.0.113.1"],
        "chassis": ["n2", "n3", "n1"],
    },
    "routes": [{"to": "192.168.0.0/16", "via": "10.20.0.9"}],
    "snat": ["10.20.0.0/24"],
}
FLOAT: dict[str, Any] = {
    "uuid": WWW,
    "driver": "ovn",
    "address": "203.0.113.50",
    "inside": "10.20.0.11",
    "router": {"address": "acme/routers/edge", "uuid": EDGE},
}


def made(want: dict[str, Any]) -> dict[tuple[str, str], dict[str, Any]]:
    return {(one.table, one.key): dict(one.columns) for one in routers.rows_of(want)}


def test_the_first_host_of_the_list_leads_out_and_the_next_takes_over() -> None:
    found = made(WANT)
    ranks = {one["chassis_name"]: one["priority"] for (table, _key), one in found.items() if table == "HA_Chassis"}
    assert sorted(ranks, key=lambda name: -ranks[name]) == ["n2", "n3", "n1"]
    assert found["Logical_Router_Port", OUTER]["ha_chassis_group"] == {rows.RowLink("HA_Chassis_Group", EDGE)}
    assert "ha_chassis_group" not in found["Logical_Router_Port", INNER], "between networks there is no gateway"


def test_inner_addresses_leave_as_the_routers_and_all_else_goes_to_the_gateway_outside() -> None:
    found = made(WANT)
    assert found["NAT", "10.20.0.0/24"] == {"type": "snat", "external_ip": "203.0.113.5", "logical_ip": "10.20.0.0/24"}
    ways = {one["ip_prefix"]: one["nexthop"] for (table, _key), one in found.items() if table.endswith("Static_Route")}
    assert ways == {"192.168.0.0/16": "10.20.0.9", "0.0.0.0/0": "203.0.113.1"}


def test_guests_hear_of_their_way_out_where_there_is_ipv6() -> None:
    told = {"cidr": "fd00::/64", "dns": ["fd00::2"], "slaac": True}
    port: dict[str, Any] = {"addresses": ["fd00::1/64"], "mac": INNER, "network_uuid": APP, "mtu": 1442}
    modes = []
    for slaac in (True, False):
        both = {**port, "announces": [told, {"cidr": "fd01::/64", "dns": [], "slaac": slaac}]}
        found = made({**WANT, "interfaces": {"app": both}})["Logical_Router_Port", INNER]["ipv6_ra_configs"]
        modes.append((found["address_mode"], found["rdnss"], found["mtu"]))
    assert modes == [("slaac", "fd00::2", "1442"), ("dhcpv6_stateful", "fd00::2", "1442")]
    assert made(WANT)["Logical_Router_Port", INNER]["ipv6_ra_configs"] == {}


def test_a_router_without_a_way_out_has_none() -> None:
    found = {table for table, _key in made({**WANT, "external": {}, "snat": []})}
    assert found == {"Logical_Router", "Logical_Router_Port", "Logical_Router_Static_Route"}


def test_both_ends_of_a_port_know_each_other() -> None:
    network = {"uuid": APP, "driver": "ovn", "type": "geneve", "switch_ports": {}, "router_ports": {INNER: "edge"}}
    (port,) = (one for one in switches.rows({**network, "subnets": {}}) if one.table == "Logical_Switch_Port")
    assert port.columns["options"] == {"router-port": made(WANT)["Logical_Router_Port", INNER]["name"]}
    assert port.columns["name"] != router_port_name(APP, INNER), "the southbound database has both in one table"


def test_a_vlan_is_a_tag_on_the_way_into_the_physical_network() -> None:
    network = {"uuid": PUBLIC, "type": "vlan", "vlan": 120, "physical": "external", "subnets": {}, "switch_ports": {}}
    found = {one.key: one.columns for one in switches.rows(network)}
    assert found["localnet"]["tag"] == {120}
    assert found["localnet"]["options"] == {"network_name": "external"}
    assert found[PUBLIC]["ports"] == {rows.RowLink("Logical_Switch_Port", "localnet")}


class Database:
    """Rows that are there, and what is sent."""

    def __init__(
        self, monkeypatch: pytest.MonkeyPatch, translations: dict[str, dict[str, str]], inside: set[str]
    ) -> None:
        self.sent: list[Any] = []
        self.nat: Any = [{"_uuid": ovsdb.Uuid(uuid), "external_ids": ids} for uuid, ids in translations.items()]
        self.router: Any = {"_uuid": ovsdb.Uuid("router"), "nat": frozenset(map(ovsdb.Uuid, inside))}
        monkeypatch.setattr(ovsdb.OvsdbDatabase, "transact", lambda _self, sent: self.sent.extend(sent))
        monkeypatch.setattr(ovsdb.OvsdbDatabase, "select", lambda _self, _tables: {nat.NAT: self.nat})
        monkeypatch.setattr(rows, "existing", self.existing)

    def existing(self, owner: str, _work: Work) -> rows.Existing:
        if owner == EDGE:
            return {(nat.ROUTER, EDGE): self.router}
        own: Any = [row for row in self.nat if (rows.OWNER, owner) in row["external_ids"].items()]
        return dict.fromkeys([(nat.NAT, "floating")], own[0]) if own else {}

    def mutated(self) -> list[tuple[str, Any]]:
        return [tuple(one["mutations"][0][1:]) for one in self.sent if one["op"] == "mutate"]


def test_a_floating_ip_on_its_guests_host_has_a_mac_and_a_port_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    database, work = Database(monkeypatch, {}, set()), Work("n1")
    here = {"mac": FLOATING, "network_uuid": APP, "port": INNER}
    floating_ips.ensure({**FLOAT, "distributed": here}, work)
    row = database.sent[0]["row"]
    assert (row["external_ip"], row["logical_ip"], row["type"]) == ("203.0.113.50", "10.20.0.11", "dnat_and_snat")
    assert row["external_mac"] == ["set", [FLOATING]]
    assert row["logical_port"] == ["set", [port_name(APP, INNER)]]
    assert [how for how, _row in database.mutated()] == ["insert"], "into its router"


def test_one_at_the_gateway_has_neither(monkeypatch: pytest.MonkeyPatch) -> None:
    database = Database(monkeypatch, {}, set())
    floating_ips.ensure(FLOAT, Work("n1"))
    row = database.sent[0]["row"]
    assert (row["external_mac"], row["logical_port"]) == (["set", []], ["set", []])


def test_a_floating_ip_that_goes_is_taken_out_of_its_router(monkeypatch: pytest.MonkeyPatch) -> None:
    """A row that something refers to cannot be deleted."""
    database = Database(monkeypatch, {"a": {rows.OWNER: WWW, rows.KEY: "floating"}}, {"a"})
    floating_ips.remove({"uuid": WWW}, Work("n1"))
    assert [one["op"] for one in database.sent] == ["delete", "mutate"]
    assert database.mutated() == [("delete", ["uuid", "a"])]


def test_without_its_router_it_is_refused_and_not_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    Database(monkeypatch, {}, set())
    with pytest.raises(Failed, match="STEAD-E209: Router acme/routers/other is not in the database"):
        floating_ips.ensure({**FLOAT, "router": {"address": "acme/routers/other", "uuid": "other"}}, Work("n1"))


def test_what_nobody_knows_is_taken_out_of_a_router_and_floating_ips_stay(monkeypatch: pytest.MonkeyPatch) -> None:
    known = {"a": {rows.OWNER: WWW, rows.KEY: "floating"}, "b": {}}
    database, work = Database(monkeypatch, known, {"a", "b"}), Work("n1", check=True)
    work.now.ask = lambda _name, read: read()  # type: ignore[method-assign]
    assert [one["mutations"][0][2] for one in nat.strays(EDGE, work)] == [["uuid", "b"]]
    assert database.sent == []


def test_of_two_networks_that_leave_a_physical_one_at_once_the_last_takes_its_bridge_away(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The ledger has both until both are done."""
    wants: list[dict[str, Any]] = [
        {"uuid": uuid, "driver": "ovn", "physical": "external", "device": "eth2"} for uuid in (APP, PUBLIC)
    ]
    monkeypatch.setattr(physical, "_identity", lambda: {"ovn-bridge-mappings": "external:sx1,office:sx2"})
    monkeypatch.setattr(physical, "_leaving", set())
    now: Any = SimpleNamespace(entries=lambda _kind: [{"uuid": one["uuid"], "want": one} for one in wants])
    work = Work("n1", now=now)
    monkeypatch.setattr(work, "run", lambda words: work.done.append(" ".join(words)))
    physical.remove(wants[0], work)
    assert work.done == []
    physical.remove(wants[1], work)
    assert work.done == [
        'ovs-vsctl set open_vswitch . external-ids:ovn-bridge-mappings="office:sx2"',
        "ovs-vsctl --if-exists del-br " + physical_bridge("external"),
    ]


def test_bridge_of_a_physical_network_is_no_drivers_stray() -> None:
    for name in ("external", "office", "a", "b"):
        assert [*chain(*(one.strays({}, {physical_bridge(name): {}}) for one in drivers.DRIVERS.values()))] == []


# The controller's half -----------------------------------------------------------------------------------------------

PREPARED: dict[str, Any] = {"network_drivers": {"ovn": "n1"}, "physical_networks": {"external": "eth2"}}


def network_host(name: str, **more: Any) -> Host:
    return Host(name=name, **{"roles": frozenset({"network"}), **PREPARED, **more})


def test_others_take_over_in_a_ring_and_who_is_drained_comes_last() -> None:
    hosts = {name: network_host(name) for name in ("n1", "n2", "n3", "n4", "n5", "n6")}
    hosts["other"] = network_host("other", physical_networks={"office": "eth3"})
    hosts["bare"] = network_host("bare", network_drivers={})
    leads_out = named("ovn").leads_out
    assert leads_out("n5", "external", hosts) == ["n5", "n6", "n1", "n2", "n3"]
    hosts["n5"] = network_host("n5", state=HostStatus.MAINTENANCE)
    hosts["n6"] = network_host("n6", state=HostStatus.DOWN)
    assert leads_out("n5", "external", hosts) == ["n6", "n1", "n2", "n3", "n4"], "who is down is planned for still"


def test_each_prepared_host_with_the_physical_network_is_in_it() -> None:
    hosts = {"n1": network_host("n1"), "c1": network_host("c1", roles=frozenset({"compute"}))}
    hosts["c2"] = network_host("c2", physical_networks={})
    hosts["s1"] = network_host("s1", roles=frozenset({"storage"}))
    fields = {"uuid": PUBLIC, "type": "flat", "physical": "external"}
    gateway = {"mac": OUTER, "host": "n1", "router": "edge"}
    found = named("ovn").realise(Layout(fields, None, "", [gateway], hosts, {}))
    assert {name: want.fields().get("device") for name, want in found.items()} == {"c1": "eth2", "n1": "eth2"}
    assert found["n1"].fields()["router_ports"] == {OUTER: "edge"}
    assert not any("place" in want.fields() for want in found.values()), "who leads out has no guests"
