"""The parts of driver ovn that need no switch and no database. What does is done in tests/lab/test_ovn.py."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from ansible_collections.stead.cloud.plugins.module_utils.host.base.errors import Failed
from ansible_collections.stead.cloud.plugins.module_utils.host.base.work import Work
from ansible_collections.stead.cloud.plugins.module_utils.host.net.ovn import (
    ovsdb,
    preparing,
    rows,
    security_groups,
    switches,
    vswitch,
)
from ansible_collections.stead.cloud.plugins.module_utils.host.net.ovn.naming import addresses_name, group_name
from stead.core.driver import DriverScope
from stead.core.observed import Host
from stead.drivers.network import Layout, named
from stead.site.abilities import with_abilities
from stead.site.inventory import variables

NEAR, FAR = "52:54:00:00:00:01", "52:54:00:00:00:02"
UUID = "11111111-0000-4000-8000-000000000001"
WANT: dict[str, Any] = {
    "uuid": UUID,
    "name": "acme/networks/app",
    "driver": "ovn",
    "type": "geneve",
    "mtu": 1442,
    "vni": 10_000,
    "subnets": {"v4": {"cidr": "10.20.0.0/24", "gateway": "10.20.0.1", "server": "10.20.0.2", "routes": []}},
    "service": {
        "addresses": ["10.20.0.2/24"],
        "domain": "acme.stead.internal",
        "hosts": {NEAR: {"addresses": ["10.20.0.11"], "name": "Near", "routed": True}},
        "mac": "52:54:00:00:00:fe",
        "names": {"other": ["10.30.0.4"]},
    },
    "switch_ports": {
        NEAR: {"at": "c1", "addresses": ["10.20.0.11"], "filtered": True, "groups": ["a"], "routed": True},
        FAR: {"at": "c2", "addresses": ["10.20.0.12"], "filtered": False, "groups": [], "routed": False},
    },
}


def rows_by_key(want: dict[str, Any]) -> dict[tuple[str, str], dict[str, Any]]:
    return {(one.table, one.key): dict(one.columns) for one in switches.rows(want)}


# What the database is told -------------------------------------------------------------------------------------------


def test_a_port_claims_its_own_addresses_and_those_it_was_allowed() -> None:
    allowed = [{"address": "10.20.0.100"}, {"address": "10.20.0.200", "mac": "00:00:5E:00:01:05"}]
    ports = {**WANT["switch_ports"], NEAR: {**WANT["switch_ports"][NEAR], "allowed": allowed}}
    found = rows_by_key({**WANT, "switch_ports": ports})["Logical_Switch_Port", NEAR]
    assert found["port_security"] == {f"{NEAR} 10.20.0.11 10.20.0.100", "00:00:5e:00:01:05 10.20.0.200"}
    assert found["options"] == {"requested-chassis": "c1"}


def test_a_port_that_is_not_filtered_claims_what_it_likes() -> None:
    found = rows_by_key(WANT)["Logical_Switch_Port", FAR]
    assert found["port_security"] == frozenset()
    assert "unknown" in found["addresses"]


def test_a_port_that_is_filtered_takes_nothing_unless_a_group_says_so() -> None:
    made = rows_by_key(WANT)
    assert made["Port_Group", "filtered"]["ports"] == {rows.RowLink("Logical_Switch_Port", NEAR)}
    drops = [one for (table, _key), one in made.items() if table == "ACL" and one["action"] == "drop"]
    assert {one["direction"] for one in drops if one["match"].count("&&") == 0} == {"from-lport", "to-lport"}
    assert all(one["priority"] != security_groups.ALLOW for one in drops)


def test_only_whose_way_out_it_is_is_told_of_the_gateway() -> None:
    made = rows_by_key(WANT)
    assert made["DHCP_Options", "v4/routed"]["options"]["router"] == "10.20.0.1"
    assert "router" not in made["DHCP_Options", "v4/"]["options"]
    assert made["Logical_Switch_Port", FAR]["dhcpv4_options"] == {rows.RowLink("DHCP_Options", "v4/")}


def test_who_is_told_of_routes_is_told_of_the_gateway_among_them() -> None:
    subnet = {**WANT["subnets"]["v4"], "routes": [{"to": "192.168.0.0/16", "via": "10.20.0.254"}]}
    options = rows_by_key({**WANT, "subnets": {"v4": subnet}})["DHCP_Options", "v4/routed"]["options"]
    assert options["classless_static_route"] == "{192.168.0.0/16,10.20.0.254, 0.0.0.0/0,10.20.0.1}"


def test_names_are_known_in_small_letters_short_and_whole() -> None:
    records = rows_by_key(WANT)["DNS", "names"]["records"]
    assert records["near"] == records["near.acme.stead.internal"] == "10.20.0.11"
    assert records["other"] == "10.30.0.4"


def test_a_subnet_without_a_server_has_no_address_service() -> None:
    subnet = {name: value for name, value in WANT["subnets"]["v4"].items() if name != "server"}
    made = rows_by_key({**{name: one for name, one in WANT.items() if name != "service"}, "subnets": {"v4": subnet}})
    assert not {table for table, _key in made} & {"DHCP_Options", "DNS"}
    assert ("Logical_Switch_Port", switches.SERVER) not in made


def test_each_family_has_a_server_and_who_makes_its_address_itself_is_told_the_rest() -> None:
    six = {"cidr": "fd00::/64", "gateway": "fd00::1", "server": "fd00::2", "routes": [], "ipv6": "dhcp"}
    port = {**WANT["switch_ports"][NEAR], "addresses": ["10.20.0.11", "fd00::11"]}
    service = {**WANT["service"], "addresses": ["10.20.0.2/24", "fd00::2/64"]}
    want = {**WANT, "subnets": {**WANT["subnets"], "v6": six}, "switch_ports": {NEAR: port}, "service": service}
    made = rows_by_key(want)
    assert made["Logical_Switch_Port", NEAR]["dhcpv4_options"] == {rows.RowLink("DHCP_Options", "v4/routed")}
    assert made["Logical_Switch_Port", NEAR]["dhcpv6_options"] == {rows.RowLink("DHCP_Options", "v6/")}
    options = made["DHCP_Options", "v6/"]["options"]
    assert (options["server_id"], options["dns_server"]) == ("52:54:00:00:00:fe", "fd00::2")
    assert "dhcpv6_stateless" not in options
    itself = {**want, "subnets": {"v6": {**six, "ipv6": "slaac"}}}
    assert rows_by_key(itself)["DHCP_Options", "v6/"]["options"]["dhcpv6_stateless"] == "true"


RULES = [
    ({"direction": "in", "protocol": "any"}, ["outport == @G && ip4", "outport == @G && ip6"]),
    ({"direction": "out", "protocol": "any", "family": "ipv4"}, ["inport == @G && ip4"]),
    (
        {"direction": "in", "protocol": "tcp", "ports": ["80", "8-9"], "cidr": "10.0.0.7/24"},
        ["outport == @G && ip4 && ip4.src == 10.0.0.0/24 && tcp && (tcp.dst == 80 || (tcp.dst >= 8 && tcp.dst <= 9))"],
    ),
    ({"direction": "in", "protocol": "udp", "cidr": "fd00::/8"},
     ["outport == @G && ip6 && ip6.src == fd00::/8 && udp"]),
    ({"direction": "in", "protocol": "icmp", "type": 8, "code": 0},
     ["outport == @G && ip4 && ip.proto == 1 && icmp4.type == 8 && icmp4.code == 0"]),
    ({"direction": "in", "protocol": "icmpv6", "type": 128},
     ["outport == @G && ip6 && ip.proto == 58 && icmp6.type == 128"]),
    ({"direction": "out", "protocol": "esp", "family": "ipv4"}, ["inport == @G && ip4 && ip.proto == 50"]),
    ({"direction": "in", "protocol": "tcp", "family": "ipv4", "group": "b"},
     ["outport == @G && ip4 && ip4.src == $S && tcp"]),
]  # fmt: skip


@pytest.mark.parametrize(("rule", "expected"), RULES)
def test_a_rule_in_words_of_ovn(rule: dict[str, Any], expected: list[str]) -> None:
    found = [match for _direction, match in security_groups.matches("a", rule)]  # type: ignore[arg-type]
    names = {"@G": "@" + group_name("a"), "$S": "$" + addresses_name("a", "b", 4)}
    for name, text in names.items():
        expected = [one.replace(name, text) for one in expected]
    assert found == expected


@pytest.mark.parametrize("protocol", ["udplite", "dccp", "esp", "moebius"])
def test_a_rule_whose_ports_cannot_be_seen_is_refused_and_not_widened(protocol: str) -> None:
    with pytest.raises(Failed, match=f"STEAD-E211: OVN sees no ports of protocol {protocol}"):
        list(security_groups.matches("a", {"direction": "in", "protocol": protocol, "ports": ["80"]}))


def test_a_name_of_a_group_is_a_word_whatever_a_project_is_called() -> None:
    hostile = 'x" || 1 /security_groups/@sg {'
    assert group_name(hostile).removeprefix("sg_").isalnum()
    made = security_groups.rows_of({"name": hostile, "rules": [], "sets": {hostile: []}})
    assert hostile not in str([(one.table, one.key, one.columns) for one in made])


def test_two_groups_with_the_same_members_share_no_set() -> None:
    """One may go while the other stays."""
    assert addresses_name("a", "db", 4) != addresses_name("b", "db", 4) != addresses_name("b", "db", 6)


# What differs --------------------------------------------------------------------------------------------------------


class Sent:
    """What a comparison with these rows sends."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, there: rows.Existing) -> None:
        self.operations: list[Any] = []
        monkeypatch.setattr(rows, "existing", lambda _owner, _work: there)
        monkeypatch.setattr(ovsdb.OvsdbDatabase, "transact", lambda _self, sent: self.operations.extend(sent))


def as_there(want: dict[str, Any]) -> rows.Existing:
    """The rows of a want as the database would give them back."""
    made = switches.rows(want)
    known = {(one.table, one.key): {"_uuid": ovsdb.Uuid(f"{one.table}/{one.key}")} for one in made}
    found: rows.Existing = {}
    for one in made:
        columns = {name: rows._resolved(value, known) for name, value in one.columns.items()}  # type: ignore[arg-type]
        found[one.table, one.key] = {**known[one.table, one.key], **columns}
    return found


def test_what_is_there_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    sent, work = Sent(monkeypatch, as_there(WANT)), Work("n1")
    rows.reconcile(UUID, switches.rows(WANT), switches.SWITCH, work)
    assert (sent.operations, work.done) == ([], [])


def test_one_new_port_is_one_row_and_its_place_in_two_others(monkeypatch: pytest.MonkeyPatch) -> None:
    before = {**WANT, "switch_ports": {NEAR: WANT["switch_ports"][NEAR]}}
    sent = Sent(monkeypatch, as_there(before))
    rows.reconcile(UUID, switches.rows(WANT), switches.SWITCH, Work("n1"))
    done = [(one["op"], one["table"]) for one in sent.operations]
    assert sorted(done) == [
        ("insert", "DHCP_Options"),
        ("insert", "Logical_Switch_Port"),
        ("update", "Logical_Switch"),
    ]
    (port,) = (one for one in sent.operations if one["table"] == "Logical_Switch_Port")
    (switch,) = (one for one in sent.operations if one["table"] == "Logical_Switch")
    assert ["named-uuid", port["uuid-name"]] in switch["row"]["ports"][1]


def test_what_nobody_wants_goes_and_is_told_as_altered(monkeypatch: pytest.MonkeyPatch) -> None:
    sent, work = Sent(monkeypatch, as_there(WANT)), Work("n1", check=True)
    rows.reconcile(UUID, [], switches.SWITCH, work)
    assert sent.operations == []
    assert set(work.parts) == {switches.SWITCH}
    assert len(work.done) == len(as_there(WANT))


# The protocol --------------------------------------------------------------------------------------------------------

Serving = Callable[[Any], ovsdb.OvsdbDatabase]


@pytest.fixture
def serving(tmp_path: Path) -> Iterator[Serving]:
    """A server on a socket that gives one answer, in pieces."""
    server = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    server.bind(str(tmp_path / "db.sock"))
    server.listen()

    def serve(answer: Any) -> ovsdb.OvsdbDatabase:
        def run() -> None:
            connection, _who = server.accept()
            with connection:
                connection.recv(1 << 16)
                for byte in json.dumps(answer).encode():
                    connection.sendall(bytes([byte]))

        threading.Thread(target=run, daemon=True).start()
        return ovsdb.OvsdbDatabase("Toys", str(tmp_path / "db.sock"))

    yield serve
    server.close()


VALUES = [
    ("plain", "plain"),
    (frozenset({"a", "b"}), ["set", ["a", "b"]]),
    ({"a": "1"}, ["map", [["a", "1"]]]),
    (ovsdb.Uuid("u"), ["uuid", "u"]),
    (ovsdb.Named("n"), ["named-uuid", "n"]),
    (7, 7),
]


@pytest.mark.parametrize(("value", "form"), VALUES)
def test_values_go_and_come_back(value: ovsdb.Value, form: Any) -> None:
    assert ovsdb.form_of(value) == form
    assert ovsdb.value_of(form) == value


def test_a_set_of_one_is_the_one() -> None:
    assert ovsdb.same(frozenset({"a"}), "a")
    assert not ovsdb.same(frozenset(), "a")


def test_an_answer_is_read_whole(serving: Serving) -> None:
    told = {"id": 1, "error": None, "result": [{"rows": [{"name": "a}", "tags": ["set", []]}]}]}
    assert serving(told).select({"Toy": []}) == {"Toy": [{"name": "a}", "tags": frozenset()}]}


@pytest.mark.parametrize("answer", [
    {"result": [{}, {"error": "constraint violation", "details": "two of one name"}], "error": None, "id": 1},
    {"result": None, "error": {"error": "unknown database"}, "id": 1},
])  # fmt: skip
def test_a_change_that_is_refused_is_told_with_its_reason(answer: Any, serving: Serving) -> None:
    with pytest.raises(Failed, match=r"STEAD-E214: Toys: .*(two of one name|unknown database)"):
        serving(answer).transact([{"op": "insert"}])


def test_a_database_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(Failed, match=r"STEAD-E213: Toys at .*db.sock: No such file"):
        ovsdb.OvsdbDatabase("Toys", str(tmp_path / "db.sock")).select({"Toy": []})


# A host and its driver -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("given", [{}, {"device": "eth1"}, {"device": "eth1", "address": "198.51.100.1"},
                                   {"device": "eth9", "address": "198.51.100.1/24"},
                                   {"device": "eth0", "address": "198.51.100.1/24"}])  # fmt: skip
def test_without_a_kernels_switch_something_has_to_carry_tunnels(
    given: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(vswitch, "in_kernel", lambda: False)
    held = {"addr_info": [{"local": "192.0.2.1", "prefixlen": 24, "scope": "global"}]}
    now: Any = SimpleNamespace(links=lambda: {"eth0": held, "eth1": {}}, listing=lambda _table: None)
    told = {"joins": True, "name": "c1", "certificates": "/x", "database": "192.0.2.3", "underlay": "192.0.2.1"}
    with pytest.raises(Failed, match="STEAD-E215"):
        preparing.prepare({**told, **given}, Work("c1", check=True, now=now))


def host(name: str, **drivers: str) -> Host:
    return with_abilities(Host(name=name, roles=frozenset({"compute"}), network_drivers=drivers))


def test_who_keeps_the_database_has_the_whole_network_and_a_guests_host_its_place() -> None:
    hosts = {name: host(name, ovn="n1") for name in ("c1", "c2", "n1")}
    port = {"mac": NEAR, "addresses": ["10.20.0.11"], "host": "c1", "filtered": True, "groups": ["a"], "routed": True}
    service = {"mac": "52:54:00:00:00:fe", "addresses": ["10.20.0.2/24"]}
    found = named("ovn").realise(Layout({"uuid": UUID}, service, "", [port], hosts, {}))
    assert set(found) == {"c1", "n1"}
    assert found["n1"].fields()["switch_ports"][NEAR]["at"] == "c1"
    assert found["c1"].fields()["place"] == service
    assert "switch_ports" not in found["c1"].fields()


def test_groups_are_made_where_the_database_is_and_only_with_members() -> None:
    hosts = {name: host(name, ovn="n1") for name in ("c1", "n1")}
    assert named("ovn").on_hosts(["c1"], hosts) == ["n1"]
    assert named("ovn").on_hosts([], hosts) == []
    assert named("ovn").scope is DriverScope.CLUSTER


def test_a_host_that_is_prepared_has_a_trait_that_says_so() -> None:
    assert "network:ovn" in host("c1", ovn="n1").traits
    assert "network:ovn" not in host("c1").traits


def test_the_inventory_names_only_drivers_that_are_there() -> None:
    fields, wrong = variables.read({"stead_network_drivers": {"ovn": "n1"}})
    assert (fields, wrong) == ({"network_drivers": {"ovn": "n1"}}, [])
    for bad in ({"linuxbridge": "n1"}, {"moebius": "n1"}, "ovn", {"ovn": ["n1"]}):
        assert [name for name, _why in variables.read({"stead_network_drivers": bad})[1]] == ["stead_network_drivers"]
