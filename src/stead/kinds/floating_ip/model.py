"""What a user may write of a floating IP."""

from __future__ import annotations

from typing import Annotated

from stead.core.address import Address
from stead.core.fields import Example, Ip, Ref, Text
from stead.core.value import value
from stead.kinds.shared.forwards import Forward


@value
class FloatingIp:
    network: Annotated[Address, Ref("networks"), "External network that the address comes from", Example("public")]
    address: Annotated[str | None, Ip(4), "The address; left out, it is chosen", Example("203.0.113.20")] = None
    instance: Annotated[
        Address | None,
        Ref("instances"),
        "Instance that answers at it; left out, the address is only kept",
        Example("web[0]"),
    ] = None
    port: Annotated[
        Address | None,
        Ref("ports"),
        "Port that it leads to, in the place of `instance`: to whichever instance uses the port",
        Example("www"),
    ] = None
    load_balancer: Annotated[
        Address | None,
        Ref("load_balancers"),
        "Load balancer that answers at it, in the place of `instance`",
        Example("web"),
    ] = None
    inside: Annotated[
        Address | None,
        Ref("networks"),
        "The instance's network that it leads to; left out, the first one with a router to the external network",
        Example("app"),
    ] = None
    forwards: Annotated[
        tuple[Forward, ...],
        "Ports of it that lead to instances, in the place of `instance`",
        Example([{"port": 80, "to": "web[0]:8080"}]),
    ] = ()
    description: Annotated[str, Text(lines=True), "For people"] = ""
