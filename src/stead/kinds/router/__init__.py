"""Joins networks with each other and with an external one."""

from collections.abc import Mapping
from typing import Any

from stead.core.effect import IN_PLACE, NAMED, Action, Disruption, Effect
from stead.core.kind import Kind, QuotaWord, Scope
from stead.kinds.router.leads import host_needs, leads, pins
from stead.kinds.router.model import Router
from stead.kinds.router.needs import demand, needs, usage
from stead.kinds.router.reach import reaches
from stead.kinds.router.realise import contribute, facts, realise
from stead.kinds.router.rules import check, fits
from stead.kinds.router.unmanaged import retained
from stead.kinds.shared.counted import PORTS
from stead.kinds.shared.network_names import renamed

# Connections through the router stall, and those that it hides are cut.
PAUSE = Effect(Action.UPDATE, Disruption.NETWORK)


def effect_of(
    named: Effect, field: str, old: Any, new: Any, _want: Mapping[str, Any], _have: Mapping[str, Any]
) -> Effect:
    """Who joins stalls nobody: cables and addresses of the others stay, and so do connections under new rules."""
    joins = field.startswith(("interfaces.", "forwards.")) and old is None and new is not None
    hides_more = field == "snat" and set(old or ()) <= set(new or ())
    of_the_other = field.endswith(".peer_mac")
    return IN_PLACE if joins or hides_more or of_the_other else named


KIND = Kind(
    name="router",
    plural="routers",
    scope=Scope.PROJECT,
    wiring="stead.kinds.router.wiring",
    model=Router,
    help="Joins networks with each other and with an external one.",
    highlights=(
        "external.addresses",
        "external.network",
        "external.chassis",
        "uplink.address",
        "forwards.",
        "interfaces.",
        "snat",
    ),
    drawn=True,
    pins=pins,
    leads=leads,
    host_needs=host_needs,
    own_needs=True,
    counted=True,
    single=True,
    reaches=reaches,
    check=check,
    fits=fits,
    needs=needs,
    demand=demand,
    retained=retained,
    quota={"routers": QuotaWord("Routers"), "ports": PORTS},
    usage=usage,
    contribute=contribute,
    realise=realise,
    facts=facts,
    seen={
        "name": "its name; of a member with the index or key: `web-0`",
        "uuid": "its UUID",
        "host": "host that it is on",
        "standby": "host that takes over, or nothing",
        "address": "its first address outside, or nothing",
        "addresses": "all its addresses outside",
        "networks": "its addresses, by network",
    },
    renamed=renamed,
    effects={
        **NAMED,
        "driver": PAUSE,
        "external": PAUSE,
        "forwards": PAUSE,
        "forwards.*": PAUSE,
        "ha": PAUSE,
        "ha.peers": IN_PLACE,
        "ha.vni": PAUSE,
        "interfaces": PAUSE,
        "snat": PAUSE,
        "routes": IN_PLACE,
        "uplink": PAUSE,
        "uplink.address": PAUSE,
        "uplink.closed": IN_PLACE,
        "uplink.gateway": PAUSE,
        "uplink.name_servers": IN_PLACE,
        "uplink.open": IN_PLACE,
    },
    parts=("announcements", "election", "forwarding", "links", "rules"),
    effect_of=effect_of,
    field_map={"interfaces": "networks", "uplink.open": "reach"},
    words={
        "external.chassis": "hosts that lead out",
        "ha": "second host",
        "ha.peers": "its hosts",
        "ha.peers.*": "address of host {}",
        "ha.vni": "tunnel between its hosts",
        "interfaces": "networks",
        "interfaces.*": "interface in {}",
        "forwards.*": "forward of {}",
        "uplink.closed": "closed hosts",
        "uplink.name_servers": "name servers outside",
    },
)
