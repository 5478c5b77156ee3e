"""A network of its own between instances on any hosts, or one that exists already."""

from stead.core.effect import IN_PLACE, NAMED, REPLACED, Action, Disruption, Effect
from stead.core.kind import Kind, QuotaWord, Scope
from stead.drivers.network import all_of_them
from stead.kinds.network.model import Network
from stead.kinds.network.needs import demand, needs, usage
from stead.kinds.network.reach import reaches
from stead.kinds.network.realise import facts, host_needs, realise
from stead.kinds.network.rules import check, fits
from stead.kinds.network.unmanaged import retained

DRIVERS = all_of_them().values()
# A moment without packets while the device is made again.
PAUSE = Effect(Action.UPDATE, Disruption.NETWORK)

KIND = Kind(
    name="network",
    plural="networks",
    scope=Scope.EITHER,
    wiring="stead.kinds.network.wiring",
    model=Network,
    help="A network of its own between instances on any hosts, or one that exists already.",
    highlights=("type", "vni", "vlan", "physical", "subnets.*.cidr", "mtu"),
    drawn=True,
    host_needs=host_needs,
    counted=True,
    reaches=reaches,
    check=check,
    fits=fits,
    needs=needs,
    demand=demand,
    retained=retained,
    quota={"networks": QuotaWord("Networks"), "subnets": QuotaWord("Subnets of all networks")},
    usage=usage,
    realise=realise,
    facts=facts,
    seen={
        "name": "its name; of a member with the index or key: `web-0`",
        "uuid": "its UUID",
        "type": "its type",
        "mtu": "its MTU",
        "cidr": "network of its first subnet",
        "gateway": "gateway of its first subnet, or nothing",
        "domain": "its DNS domain",
        "subnets": "by name: `cidr`, `gateway` and `dns`",
        "host": "network host that serves it",
        "standby": "second network host that serves it, or nothing",
        "vni": "its tunnel id, where it has one",
        "vlan": "its VLAN id, where it has one",
    },
    effects={
        **NAMED,
        "driver": REPLACED,
        "type": REPLACED,
        "mtu": PAUSE,
        "vni": PAUSE,
        "vlan": PAUSE,
        "physical": PAUSE,
        "subnets": IN_PLACE,
        "service": IN_PLACE,
        **{name: effect for driver in DRIVERS for name, effect in driver.effects.items()},
    },
    parts=tuple(part for driver in DRIVERS for part in driver.parts),
    locates=tuple(field for driver in DRIVERS for field in driver.locates),
    identity=("type", "driver"),
    field_map={"service": "subnets", **{name: field for driver in DRIVERS for name, field in driver.field_map.items()}},
    words={
        **{name: word for driver in DRIVERS for name, word in driver.words.items()},
        "service": "its DHCP and DNS server",
        "service.addresses": "addresses of its DHCP server",
        "service.domain": "domain",
        "service.hosts": "DHCP entries",
        "service.hosts.*": "DHCP entry of {}",
        "service.mac": "MAC of its DHCP server",
        "service.names": "names that it resolves",
        "service.names.*": "addresses of name {}",
        "service.upstream": "DNS servers it asks",
    },
)
