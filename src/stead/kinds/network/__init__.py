"""A network of its own between instances on any hosts, or one that exists already."""

from stead.core.kind import IN_PLACE, NAMED, REPLACED, Action, Disruption, Effect, Kind, Scope
from stead.kinds.network.model import Network
from stead.kinds.network.needs import demand, needs, usage
from stead.kinds.network.reach import reaches
from stead.kinds.network.realise import facts, realise
from stead.kinds.network.rules import check, fits
from stead.kinds.network.unmanaged import retained

# A moment without packets while the device is made again.
PAUSE = Effect(Action.UPDATE, Disruption.NETWORK)

KIND = Kind(
    name="network",
    plural="networks",
    scope=Scope.EITHER,
    model=Network,
    help="A network of its own between instances on any hosts, or one that exists already.",
    counted=True,
    reaches=reaches,
    check=check,
    fits=fits,
    needs=needs,
    demand=demand,
    retained=retained,
    usage=usage,
    realise=realise,
    facts=facts,
    effects={
        **NAMED,
        "driver": REPLACED,
        "type": REPLACED,
        "mtu": PAUSE,
        "vni": PAUSE,
        "vlan": PAUSE,
        "device": PAUSE,
        "physical": PAUSE,
        "subnets": IN_PLACE,
        "service": IN_PLACE,
        "forwarding": IN_PLACE,
        "peers": IN_PLACE,
    },
    identity=("type", "driver"),
    field_map={"device": "physical", "service": "subnets", "forwarding": "", "peers": ""},
    words={
        "device": "device of the physical network",
        "forwarding": "ports in it",
        "forwarding.*": "port of {}",
        "forwarding.*.at": "host of {}",
        "forwarding.*.addresses": "addresses of {}",
        "peers": "hosts in it",
        "peers.*": "address of host {}",
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
