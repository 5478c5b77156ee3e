"""What hosts should have, of the design's example."""

from __future__ import annotations

from typing import Any

import pytest
from tests.unit.kinds.building import GIB, SMALL_SITE, at, block, host, settled, site_of, spec
from tests.unit.kinds.example import design

from stead.blueprint.model import Blueprint
from stead.core.kind import Member
from stead.core.want import Body, Want
from stead.kinds import kinds
from stead.kinds.image.model import Image
from stead.kinds.instance import nics
from stead.kinds.instance.model import Attachment, Instance, Nic
from stead.kinds.instance.realise import _own, _quick
from stead.kinds.network.model import Network, Subnet
from stead.kinds.router.model import Interface, Router
from stead.kinds.shared.sizing import Flavor
from stead.kinds.volume.model import Volume
from stead.language.desired import Desired
from stead.site.abilities import with_abilities


@pytest.fixture(scope="module")
def made() -> Blueprint:
    return settled(design())


def fields(made: Blueprint, address: str, host: str) -> dict[str, Any]:
    return made.resources[at(address)].wants[host].fields()


def where(made: Blueprint, address: str) -> str:
    return made.resources[at(address)].host


def test_every_want_carries_its_uuid_and_name(made: Blueprint) -> None:
    for settled_ in made.resources.values():
        for want in settled_.wants.values():
            assert want.fields()["uuid"] == settled_.leases["uuid"]
            assert want.fields()["name"]


def test_a_network_is_the_same_on_every_compute_and_serves_on_one_host(made: Blueprint) -> None:
    wants = made.resources[at("acme/networks/app")].wants
    computes = [want for name, want in wants.items() if name.startswith("compute")]
    assert all(one is computes[0] for one in computes)
    assert "service" not in computes[0].fields()
    served = wants["network-1"].fields()["service"]
    assert {one["name"] for one in served["hosts"].values()} == {"db", "proxy", "web-0", "web-1", "web-2"}


def test_a_host_knows_every_port_of_its_networks(made: Blueprint) -> None:
    want = fields(made, "acme/networks/app", "compute-1")
    instances = [one for one in made.resources if one.kind == "instances"]
    # The instances, the router, and the network's own server.
    assert len(want["forwarding"]) == len(instances) + 2
    for one in instances:
        port = next(iter(fields(made, str(one), where(made, str(one)))["ports"].values()))
        assert want["forwarding"][port["mac"]] == {"addresses": port["addresses"], "at": where(made, str(one))}
    assert set(want["peers"]) == {entry["at"] for entry in want["forwarding"].values()}


def test_the_gateway_is_the_router_and_the_server_is_the_last_free_address(made: Blueprint) -> None:
    router = fields(made, "acme/routers/edge", "network-1")
    assert router["interfaces"]["acme/networks/app"]["addresses"] == ["10.20.0.1/24"]
    assert fields(made, "acme/networks/app", "network-1")["service"]["addresses"] == ["10.20.0.254/24"]


def test_a_fixed_address_is_had_and_the_rest_come_from_the_start(made: Blueprint) -> None:
    leases = made.resources[at("acme/instances/db")].leases
    assert leases["nics.app.v4"] == "10.20.0.10"
    assert made.resources[at("acme/instances/web[0]")].leases["nics.app.v4"] == "10.20.0.3"


def test_a_floating_ip_leads_inside_on_the_host_of_its_router(made: Blueprint) -> None:
    want = fields(made, "acme/floating_ips/www", where(made, "acme/routers/edge"))
    assert want["address"].startswith("203.0.113.")
    assert want["inside"] == made.resources[at("acme/instances/proxy")].leases["nics.app.v4"]


def test_a_group_in_a_rule_becomes_the_addresses_of_its_members(made: Blueprint) -> None:
    project = next(want for name, want in made.resources[at("projects/acme")].wants.items() if name)
    group = project.fields()["default_group"]
    assert group["sets"] == {"acme/security_groups/default": sorted(["10.20.0.10", "10.20.0.2"])}


def test_an_unused_group_is_only_recorded(made: Blueprint) -> None:
    assert list(made.resources[at("acme/security_groups/bastion")].wants) == [""]


def test_an_image_is_kept_by_controllers_and_taken_from_there_by_users(made: Blueprint) -> None:
    wants = made.resources[at("images/debian-12")].wants
    assert wants["controller-1"].fields()["keeps"] is True
    users = {where(made, str(one)) for one in made.resources if one.kind == "instances"}
    assert set(wants) == users | {"controller-1"}
    assert all(wants[user].fields()["from"]["host"] == "controller-1" for user in users)


def test_a_volume_in_a_shared_pool_is_reached_at_its_server(made: Blueprint) -> None:
    db = fields(made, "acme/instances/db", where(made, "acme/instances/db"))
    volume = db["volumes"]["acme/volumes/pgdata"]
    assert volume["pool"]["host"] == "storage-1"
    assert volume["device"] == "vdb"
    assert volume["uuid"] == made.resources[at("acme/volumes/pgdata")].leases["uuid"]


def test_members_share_a_body(made: Blueprint) -> None:
    bodies = {
        id(want.body)
        for index in range(3)
        for want in made.resources[at(f"acme/instances/web[{index}]")].wants.values()
    }
    assert len(bodies) == 1


def test_a_local_volume_lands_with_its_instance() -> None:
    desired = spec(
        block("p/volumes/data", Volume(size=10 * GIB)),
        block(
            "p/instances/db",
            Instance(
                flavor=Flavor(vcpus=1, memory=GIB, disk=GIB),
                networks=(),
                boot=("network",),
                volumes=(Attachment(volume=at("p/volumes/data")),),
            ),
        ),
    )
    made = settled(desired)
    assert where(made, "p/volumes/data") == where(made, "p/instances/db") != ""


def _in_network(subnets: dict[str, Subnet], *nics: Nic, count: int | None = None) -> Desired:
    flavor = Flavor(vcpus=1, memory=GIB, disk=GIB)
    return spec(
        block("p/networks/net", Network(subnets=subnets)),
        block("p/instances/vm", Instance(flavor=flavor, networks=nics), count=count),
    )


def test_both_families_are_given() -> None:
    subnets = {"v4": Subnet(cidr="10.0.0.0/24"), "v6": Subnet(cidr="fd00::/64")}
    made = settled(_in_network(subnets, Nic(network=at("p/networks/net"))))
    leases = made.resources[at("p/instances/vm")].leases
    assert (leases["nics.net.v4"], leases["nics.net.v6"]) == ("10.0.0.2", "fd00::2")


def test_slaac_makes_the_address_from_the_mac() -> None:
    subnets = {"v6": Subnet(cidr="fd00::/64", ipv6="slaac")}
    made = settled(_in_network(subnets, Nic(network=at("p/networks/net"), mac="52:54:00:12:34:56")))
    (want,) = made.resources[at("p/instances/vm")].wants.values()
    assert want.fields()["ports"]["net"]["addresses"] == ["fd00::5054:ff:fe12:3456"]


@pytest.mark.parametrize(
    ("names", "addresses"),
    [(None, ["10.0.0.2", "fd00::2"]), (("b",), ["10.1.0.2"]), (("v6", "b"), ["10.1.0.2", "fd00::2"]), ((), [])],
)
def test_an_interface_is_in_the_subnets_that_it_names(names: tuple[str, ...] | None, addresses: list[str]) -> None:
    subnets = {"a": Subnet(cidr="10.0.0.0/24"), "b": Subnet(cidr="10.1.0.0/24"), "v6": Subnet(cidr="fd00::/64")}
    made = settled(_in_network(subnets, Nic(network=at("p/networks/net"), subnets=names)))
    vm = made.resources[at("p/instances/vm")]
    (want,) = vm.wants.values()
    assert [vm.leases[key] for key in ("nics.net.v4", "nics.net.v6") if key in vm.leases] == addresses
    assert want.fields()["ports"]["net"]["addresses"] == addresses


def test_the_server_steps_aside_for_an_address_that_someone_wants() -> None:
    nic = Nic(network=at("p/networks/net"), address="10.0.0.254")
    made = settled(_in_network({"v4": Subnet(cidr="10.0.0.0/24")}, nic))
    want = made.resources[at("p/networks/net")].wants["network-1"].fields()
    assert want["service"]["addresses"] == ["10.0.0.253/24"]


def test_one_more_network_changes_nothing_of_the_others() -> None:
    def leases(*names: str) -> dict[str, str]:
        networks = [
            block(f"p/networks/{name}", Network(subnets={"v4": Subnet(cidr=f"10.{at_}.0.0/24")}))
            for at_, name in enumerate(("a", "b"))
        ]
        flavor = Flavor(vcpus=1, memory=GIB, disk=GIB)
        nics_ = tuple(Nic(network=at(f"p/networks/{name}")) for name in names)
        made = settled(spec(*networks, block("p/instances/vm", Instance(flavor=flavor, networks=nics_))))
        return dict(made.resources[at("p/instances/vm")].leases)

    before, after = leases("b"), leases("a", "b")
    assert {key: after[key] for key in before} == before


def test_names_resolve_across_a_router() -> None:
    flavor = Flavor(vcpus=1, memory=GIB, disk=GIB)
    networks = [
        block(f"p/networks/{name}", Network(subnets={"v4": Subnet(cidr=f"10.{at_}.0.0/24")}))
        for at_, name in enumerate(("a", "b"))
    ]
    joined = tuple(Interface(network=at(f"p/networks/{name}")) for name in ("a", "b"))
    made = settled(
        spec(
            *networks,
            block("p/routers/r", Router(networks=joined)),
            block("p/instances/vm", Instance(flavor=flavor, networks=(Nic(network=at("p/networks/b")),))),
        )
    )
    service = made.resources[at("p/networks/a")].wants["network-1"].fields()["service"]
    assert service["names"] == {"vm": ["10.1.0.2"]}


def test_quick_wants_are_the_same_as_careful_ones() -> None:
    subnets = {"v4": Subnet(cidr="10.0.0.0/24"), "v6": Subnet(cidr="fd00::/64")}
    desired = _in_network(subnets, Nic(network=at("p/networks/net")), Nic(network=at("p/networks/net")), count=2)
    made = settled(desired)
    instance = desired.by_address[at("p/instances/vm")]
    seats = sorted(nics.interfaces(instance, desired), key=lambda seat: seat.key)
    body = Body.of({"a": 1})
    for address in instance.members:
        found = made.resources[address]
        member = Member(address, found.leases, found.host)
        assert _quick(body, instance.model, seats, member) == Want.of(body, _own(instance.model, seats, member))
        assert (
            _quick(body, instance.model, seats, member).digest
            == Want.of(body, _own(instance.model, seats, member)).digest
        )


def test_hosts_alike_share_a_body_and_others_do_not() -> None:
    site = site_of(
        *(one for one in SMALL_SITE.hosts.values() if "compute" not in one.roles),
        host("kvm-1", "compute", vcpus=1),
        host("kvm-2", "compute", vcpus=1),
        host("tcg-1", "compute", vcpus=1, hypervisors=frozenset({"qemu"})),
    )
    flavor = Flavor(vcpus=1, memory=GIB, disk=GIB)
    desired = spec(block("p/instances/vm", Instance(flavor=flavor), count=3))
    made = settled(desired, site)
    wants = {name: want for one in made.resources.values() for name, want in one.wants.items()}
    assert wants["kvm-1"].body is wants["kvm-2"].body
    assert wants["tcg-1"].fields()["hypervisor"] == "qemu"
    assert wants["tcg-1"].fields()["cpu"] == "maximum"


def test_image_decides_what_runs_an_instance_where_nobody_says() -> None:
    site = site_of(
        *(one for one in SMALL_SITE.hosts.values() if "compute" not in one.roles),
        with_abilities(host("a-machines", "compute", hypervisors=frozenset({"kvm", "qemu"}))),
        with_abilities(host("b-both", "compute", hypervisors=frozenset({"qemu", "lxc"}))),
    )
    flavor = Flavor(vcpus=1, memory=GIB, disk=GIB)
    desired = spec(
        block("images/box", Image(source="/srv/box.tar.xz")),
        block("images/disk", Image(source="/srv/disk.qcow2")),
        block("p/instances/container", Instance(flavor=flavor, image=at("images/box"))),
        block("p/instances/machine", Instance(flavor=flavor, image=at("images/disk"), host="b-both")),
    )
    made = settled(desired, site).resources
    container, machine = (made[at(f"p/instances/{one}")] for one in ("container", "machine"))
    assert container.host == "b-both"  # the only one that can
    want = container.wants["b-both"].fields()
    assert (want["hypervisor"], want["root"]["format"], want["image"]["rootfs"]) == ("lxc", "raw", True)
    want = machine.wants["b-both"].fields()
    assert (want["hypervisor"], want["root"]["format"]) == ("qemu", "qcow2")


def test_the_same_input_gives_the_same_wants() -> None:
    one, other = settled(design()), settled(design())
    for address, found in one.resources.items():
        assert found.wants == other.resources[address].wants


def test_facts_tell_what_expressions_ask_for(made: Blueprint) -> None:
    desired = design()
    from stead.blueprint.choices import Choices
    from stead.blueprint.seals import Seals
    from stead.core.recorded import Recorded

    members = {address: Member(address, one.leases, one.host) for address, one in made.resources.items()}
    world = Choices(
        desired=desired, kinds=kinds(), hosts=SMALL_SITE.hosts, members=members, seals=Seals(b"k", Recorded())
    )
    world.gather([(one, [members[address] for address in one.members]) for one in desired.blocks])
    web = world.facts(at("acme/instances/web[0]"))
    assert (web["address"], web["name"], web["zone"]) == ("10.20.0.3", "web-0", "default")
    assert world.facts(at("acme/networks/app"))["cidr"] == "10.20.0.0/24"
    assert world.facts(at("acme/networks/app"))["vni"] == 10_000
    assert world.facts(at("acme/floating_ips/www"))["address"] == "203.0.113.10"
    assert world.facts(at("acme/instances/proxy"))["floating_ip"] == "203.0.113.10"


def test_a_renamed_network_leaves_interfaces_what_they_were_lent() -> None:
    leases = {"uuid": "u", "nics.app.mac": "m", "nics.app:2.v4": "a", "nics.site:app.v4": "b", "nics.db.v4": "c"}
    renames = {at("p/networks/app"): at("p/networks/backend"), at("q/networks/db"): at("q/networks/other")}
    assert kinds()["instances"].renamed(leases, at("p/instances/vm"), renames) == {
        "uuid": "u",
        "nics.backend.mac": "m",
        "nics.backend:2.v4": "a",
        "nics.site:app.v4": "b",
        "nics.db.v4": "c",
    }
