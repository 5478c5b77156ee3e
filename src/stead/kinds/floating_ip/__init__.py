"""An external address that leads to an instance or a load balancer."""

from collections.abc import Mapping
from typing import Any

from stead.core.effect import IN_PLACE, NAMED, Effect
from stead.core.kind import Kind, QuotaWord, Scope
from stead.core.metered import MeterWord
from stead.kinds.floating_ip.model import FloatingIp
from stead.kinds.floating_ip.reach import reaches
from stead.kinds.floating_ip.realise import (
    MOVED,
    contribute,
    detached,
    facts,
    implicit_refs,
    metered,
    needs,
    pins,
    realise,
)
from stead.kinds.floating_ip.rules import check
from stead.kinds.floating_ip.unmanaged import retained


def effect_of(
    named: Effect, field: str, old: Any, new: Any, _want: Mapping[str, Any], _have: Mapping[str, Any]
) -> Effect:
    """One more forward disturbs nobody."""
    return IN_PLACE if field.startswith("forwards.") and old is None and new is not None else named


KIND = Kind(
    name="floating_ip",
    plural="floating_ips",
    scope=Scope.PROJECT,
    wiring="stead.kinds.floating_ip.wiring",
    model=FloatingIp,
    help="An external address that leads to an instance or a load balancer.",
    highlights=("address", "target", "instance", "load_balancer", "forwards.", "network", "translated"),
    drawn=True,
    pins=pins,
    counted=True,
    single=True,
    reaches=reaches,
    check=check,
    implicit_refs=implicit_refs,
    needs=needs,
    retained=retained,
    quota={"floating_ips": QuotaWord("Floating IPs", example=4)},
    meters={"floating_ips": MeterWord("Floating IPs")},
    metered=metered,
    contribute=contribute,
    realise=realise,
    facts=facts,
    seen={
        "name": "its name; of a member with the index or key: `web-0`",
        "uuid": "its UUID",
        "address": "its address",
        "instance": "address of its instance, or nothing",
        "inside": "address of the instance that it leads to",
    },
    detached=detached,
    effects={
        **NAMED,
        "address": MOVED,
        "driver": MOVED,
        "forwards": MOVED,
        "forwards.*": MOVED,
        "inside": MOVED,
        "instance": IN_PLACE,
        "load_balancer": IN_PLACE,
        "network": IN_PLACE,
        "router": MOVED,
        "router.address": IN_PLACE,
        "router.uuid": MOVED,
        "distributed": MOVED,
        "translated": IN_PLACE,
    },
    parts=("forwarded",),
    effect_of=effect_of,
    field_map={"router": "instance", "distributed": "instance", "translated": "instance"},
    words={
        "distributed": "interface that it leads to",
        "forwards.*": "forward of {}",
        "router": "router",
        "translated": "where addresses are translated",
    },
)
