"""A network of its own between instances on any hosts, or one that exists already."""

from stead.kind import IN_PLACE, Action, Disruption, Effect, Kind, Scope
from stead.kinds.network.left import left
from stead.kinds.network.model import Network
from stead.kinds.network.needs import demand, needs, usage
from stead.kinds.network.realise import facts, realise
from stead.kinds.network.rules import check

# A moment without packets while the device is made again.
PAUSE = Effect(Action.UPDATE, Disruption.NETWORK)

KIND = Kind(
    name="network",
    plural="networks",
    scope=Scope.EITHER,
    model=Network,
    help="A network of its own between instances on any hosts, or one that exists already.",
    counted=True,
    check=check,
    needs=needs,
    demand=demand,
    left=left,
    usage=usage,
    realise=realise,
    facts=facts,
    effects={
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
    places={"device": "physical", "service": "subnets", "forwarding": "", "peers": ""},
)
