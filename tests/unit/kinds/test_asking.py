"""What kinds ask to be chosen, and what they ask of hosts."""

from __future__ import annotations

from typing import Any

from tests.unit.kinds.building import GIB, at, block, spec

from stead.core.needs import Addresses, Demand, Macs, Need, Numbers, Standby
from stead.kinds import kinds
from stead.kinds.floating_ip.model import FloatingIp
from stead.kinds.image.model import Image
from stead.kinds.instance.model import Attachment, Disk, Instance, Nic, Spread, Together
from stead.kinds.network.model import Network, Subnet
from stead.kinds.project.model import Project
from stead.kinds.router.model import External, Interface, Router
from stead.kinds.shared.sizing import Flavor
from stead.kinds.shared.subnets import nets_of, slaac
from stead.kinds.volume.model import Volume, VolumeSource
from stead.language.desired import Desired

SMALL = Flavor(vcpus=2, memory=GIB, disk=10 * GIB)


def needs(desired: Desired, address: str) -> dict[str, Need]:
    found = desired.by_address[at(address)]
    return {need.key: need for need in kinds()[found.kind].needs(found, desired)}


def demand(desired: Desired, address: str) -> Demand:
    found = desired.by_address[at(address)]
    asked = kinds()[found.kind].demand(found, desired)
    assert asked is not None
    return asked


def usage(desired: Desired, address: str) -> dict[str, int]:
    found = desired.by_address[at(address)]
    return dict(kinds()[found.kind].counts(found, desired))


def instance(**fields: Any) -> Instance:
    return Instance(**{"flavor": SMALL, "image": at("images/d"), **fields})


IMAGE = block("images/d", Image(source="/d.qcow2", traits=("image",), architecture="aarch64"))


def test_a_network_asks_for_a_number_and_a_mac_for_its_server() -> None:
    desired = spec(block("p/networks/n", Network(subnets={"v4": Subnet(cidr="10.0.0.0/24")})))
    found = needs(desired, "p/networks/n")
    assert found["vni"].pool == Numbers(10_000, 9_999_999)
    assert found["server.mac"].pool == Macs()


def test_a_network_that_serves_nothing_asks_for_no_host() -> None:
    desired = spec(
        block("p/networks/bare", Network()),
        block("p/networks/static", Network(subnets={"v4": Subnet(cidr="10.0.0.0/24", dhcp=False)})),
        block("p/networks/served", Network(subnets={"v4": Subnet(cidr="10.0.0.0/24")})),
    )
    kind = kinds()["networks"]
    asked = {one.name: kind.demand(one, desired) for one in desired.blocks}
    assert asked["bare"] is None
    assert asked["static"] is None
    assert asked["served"] == Demand(role="network", amounts={"services": 1}, standby=Standby.IF_POSSIBLE)


def test_vlan_numbers_are_apart_for_each_wire() -> None:
    desired = spec(
        block("networks/a", Network(type="vlan", physical="one")),
        block("networks/b", Network(type="vlan", physical="two", vlan=120)),
    )
    assert needs(desired, "networks/a")["vlan"] == Need("vlan", "vlan/one", Numbers(100, 3999))
    assert needs(desired, "networks/b")["vlan"] == Need("vlan", "vlan/two", Numbers(100, 3999), "120")


def test_an_interface_asks_in_the_space_of_its_subnet() -> None:
    subnets = {"front": Subnet(cidr="10.0.0.0/24", reserved=("10.0.0.9",)), "v6": Subnet(cidr="fd00::/64")}
    desired = spec(
        IMAGE,
        block("p/networks/n", Network(subnets=subnets)),
        block("p/instances/vm", instance(networks=(Nic(network=at("p/networks/n"), mac="52:54:00:00:00:01"),))),
    )
    found = needs(desired, "p/instances/vm")
    base = 10 << 24
    taken = frozenset({base + 1, base + 9, base + 254})
    assert found["nics.n.v4"] == Need("nics.n.v4", "p/networks/n/front", Addresses(4, base + 1, base + 254, taken))
    assert found["nics.n.v6"].space == "p/networks/n/v6"
    assert found["nics.n.mac"].fixed == "52:54:00:00:00:01"


def test_a_fixed_address_chooses_its_subnet() -> None:
    subnets = {"a": Subnet(cidr="10.0.0.0/24"), "b": Subnet(cidr="10.0.1.0/24")}
    desired = spec(
        IMAGE,
        block("p/networks/n", Network(subnets=subnets)),
        block("p/instances/vm", instance(networks=(Nic(network=at("p/networks/n"), address="10.0.1.7"),))),
    )
    found = needs(desired, "p/instances/vm")["nics.n.v4"]
    assert (found.space, found.fixed) == ("p/networks/n/b", "10.0.1.7")


def test_an_address_made_from_a_mac_is_not_asked_for() -> None:
    desired = spec(
        IMAGE,
        block("p/networks/n", Network(subnets={"v6": Subnet(cidr="fd00::/64", ipv6="slaac")})),
        block("p/instances/vm", instance(networks=(Nic(network=at("p/networks/n")),))),
    )
    assert set(needs(desired, "p/instances/vm")) == {"nics.n.mac"}
    (net,) = nets_of(desired.by_address[at("p/networks/n")], desired)
    assert slaac(net, "00:11:22:33:44:55") == "fd00::211:22ff:fe33:4455"


def test_two_interfaces_in_one_network_are_told_apart() -> None:
    desired = spec(
        IMAGE,
        block("p/networks/n", Network()),
        block("networks/n", Network()),
        block(
            "p/instances/vm",
            instance(networks=tuple(Nic(network=at(one)) for one in ("p/networks/n",) * 2 + ("networks/n",))),
        ),
    )
    assert list(needs(desired, "p/instances/vm")) == ["nics.n.mac", "nics.n:2.mac", "nics.site:n.mac"]


def test_a_router_is_the_gateway_unless_it_says_otherwise() -> None:
    external = Network(type="flat", physical="x", external=True, subnets={"v4": Subnet(cidr="203.0.113.0/24")})
    desired = spec(
        block("networks/public", external),
        block("p/networks/a", Network(subnets={"v4": Subnet(cidr="10.0.0.0/24")})),
        block("p/networks/b", Network(subnets={"v4": Subnet(cidr="10.1.0.0/24")})),
        block(
            "p/routers/r",
            Router(
                external=External(network=at("networks/public")),
                networks=(
                    Interface(network=at("p/networks/a")),
                    Interface(network=at("p/networks/b"), address="10.1.0.99"),
                ),
            ),
        ),
    )
    found = needs(desired, "p/routers/r")
    assert {key: need.fixed for key, need in found.items()} == {
        "interfaces.a.mac": None,
        "interfaces.a.v4": "10.0.0.1",
        "interfaces.b.mac": None,
        "interfaces.b.v4": "10.1.0.99",
        "external.mac": None,
        "external.v4": None,
        "ha.vni": None,
    }
    assert found["ha.vni"].second, "only on two hosts"
    assert found["external.v4"].space == "networks/public/v4"
    assert demand(desired, "p/routers/r").physical_networks == {"x"}


def test_a_floating_ip_asks_in_the_pool_of_the_external_network() -> None:
    subnet = Subnet(cidr="203.0.113.0/24", pool="203.0.113.10-203.0.113.20")
    external = Network(type="flat", physical="x", external=True, subnets={"v4": subnet})
    desired = spec(
        block("networks/public", external), block("p/floating_ips/f", FloatingIp(network=at("networks/public")))
    )
    pool = needs(desired, "p/floating_ips/f")["address"].pool
    base = (203 << 24) + (113 << 8)
    assert pool == Addresses(4, base + 10, base + 20, frozenset({base + 1}))


def test_an_instance_asks_for_what_flavor_image_and_it_say() -> None:
    flavor = Flavor(
        vcpus=2,
        memory=GIB,
        disk=10 * GIB,
        swap=GIB,
        hugepages="2MiB",
        devices={"gpu": 1},
        reserve={"iops:fast": 5},
        traits=("flavor",),
        pool="fast",
    )
    desired = spec(
        IMAGE,
        block("projects/p", Project(policy="pack")),
        block("networks/wire", Network(type="flat", physical="storage")),
        block(
            "p/instances/vm",
            instance(flavor=flavor, traits=("own",), zone=("a", "b"), networks=(Nic(network=at("networks/wire")),)),
        ),
    )
    asked = demand(desired, "p/instances/vm")
    assert asked.amounts == {
        "vcpus": 2,
        "memory": GIB,
        "disk:fast": 11 * GIB,
        "hugepages:2MiB": 512,
        "device:gpu": 1,
        "iops:fast": 5,
    }
    assert asked.required == {"flavor", "image", "own"}
    assert asked.zones == {"a", "b"}
    assert asked.physical_networks == {"storage"}
    assert (asked.architecture, asked.policy, asked.role) == ("aarch64", "pack", "compute")


def test_limits_take_nothing_of_a_host() -> None:
    flavor = Flavor(vcpus=1, memory=GIB, disk=GIB, iops=500, throughput=1 << 20, bandwidth=100)
    desired = spec(IMAGE, block("p/instances/vm", instance(flavor=flavor)))
    assert set(demand(desired, "p/instances/vm").amounts) == {"vcpus", "memory", "disk:default"}


def test_a_boot_volume_takes_no_root_disk_and_is_beside() -> None:
    desired = spec(
        IMAGE,
        block("p/volumes/root", Volume(size=GIB, pool="fast", from_=VolumeSource(image=at("images/d")))),
        block("p/volumes/data", Volume(size=GIB)),
        block(
            "p/instances/vm",
            instance(image=None, boot_volume=at("p/volumes/root"), volumes=(Attachment(volume=at("p/volumes/data")),)),
        ),
    )
    asked = demand(desired, "p/instances/vm")
    assert set(asked.amounts) == {"vcpus", "memory"}
    assert asked.beside == (at("p/volumes/root"), at("p/volumes/data"))
    assert asked.pools == {"fast", "default"}
    assert usage(desired, "p/instances/vm")["storage"] == 0


def test_a_disk_of_its_own_wins_over_the_flavor() -> None:
    desired = spec(IMAGE, block("p/instances/vm", instance(disk=Disk(size=40 * GIB, pool="fast"))))
    assert demand(desired, "p/instances/vm").amounts["disk:fast"] == 40 * GIB


def test_groups_are_the_blocks_own_or_the_projects() -> None:
    desired = spec(
        IMAGE,
        block(
            "p/instances/vm",
            instance(
                spread=(Spread(), Spread(over="zones", hard=False, group="etcd")), together=Together(over="zones")
            ),
            count=3,
        ),
    )
    asked = demand(desired, "p/instances/vm")
    assert [tuple(rule) for rule in asked.spread] == [
        ("p/instances/vm", "hosts", True, None),
        ("p/etcd", "zones", False, None),
    ]
    assert [tuple(rule) for rule in asked.together] == [("p/instances/vm", "zones", True, None)]


def test_a_volume_is_as_large_as_what_it_is_made_from() -> None:
    desired = spec(
        block("p/volumes/a", Volume(size=5 * GIB)),
        block("p/volumes/b", Volume(from_=VolumeSource(volume=at("p/volumes/a")), pool="fast")),
    )
    assert demand(desired, "p/volumes/b").amounts == {"disk:fast": 5 * GIB}
    assert usage(desired, "p/volumes/b") == {"volumes": 1, "storage": 5 * GIB}
