"""An address that spreads connections over instances: HAProxy on network hosts, in the network of a project."""

from stead.core.effect import IN_PLACE, NAMED, Action, Disruption, Effect
from stead.core.kind import Kind, QuotaWord, Scope
from stead.kinds.load_balancer.model import LoadBalancer
from stead.kinds.load_balancer.needs import demand, needs, usage
from stead.kinds.load_balancer.realise import contribute, facts, host_needs, leaves, realise
from stead.kinds.load_balancer.rules import check, pins, reaches
from stead.kinds.load_balancer.unmanaged import retained
from stead.kinds.shared.counted import PORTS

# Connections through it are cut. What it listens at and who answers changes without that.
PAUSE = Effect(Action.UPDATE, Disruption.NETWORK)

KIND = Kind(
    name="load_balancer",
    plural="load_balancers",
    scope=Scope.PROJECT,
    wiring="stead.kinds.load_balancer.wiring",
    model=LoadBalancer,
    help="An address that spreads connections over instances.",
    highlights=("interfaces.*.addresses", "listeners.", "listeners.*.members#", "network"),
    drawn=True,
    balances=True,
    counted=True,
    single=True,
    pins=pins,
    reaches=reaches,
    check=check,
    needs=needs,
    demand=demand,
    retained=retained,
    host_needs=host_needs,
    quota={"load_balancers": QuotaWord("Load balancers"), "ports": PORTS},
    usage=usage,
    contribute=contribute,
    realise=realise,
    facts=facts,
    leaves=leaves,
    seen={
        "name": "its name; of a member with the index or key: `web-0`",
        "uuid": "its UUID",
        "host": "host that it is on",
        "standby": "host that takes over, or nothing",
        "address": "its first address",
        "addresses": "all its addresses",
    },
    effects={
        **NAMED,
        "driver": PAUSE,
        "gateways": PAUSE,
        "ha": PAUSE,
        "ha.peers": IN_PLACE,
        "ha.vni": PAUSE,
        "interfaces": PAUSE,
        "interfaces.*": PAUSE,
        "interfaces.*.addresses": PAUSE,
        "interfaces.*.mac": PAUSE,
        "interfaces.*.mtu": PAUSE,
        "interfaces.*.network_uuid": PAUSE,
        "interfaces.*.own": PAUSE,
        "interfaces.*.peer_mac": IN_PLACE,
        "listeners": IN_PLACE,
        "network": IN_PLACE,
    },
    parts=("election", "server", "way_out"),
    field_map={"gateways": "network", "interfaces": "network"},
    words={
        "gateways": "way out of its network",
        "ha": "second host",
        "ha.peers": "its hosts",
        "ha.peers.*": "address of host {}",
        "ha.vni": "tunnel between its hosts",
        "interfaces": "interface",
        "interfaces.*": "interface",
        "interfaces.*.own": "addresses from which it speaks to backends",
        "listeners.*": "listener {}",
        "listeners.*.check": "health check of {}",
        "listeners.*.members": "members of {}",
    },
)
