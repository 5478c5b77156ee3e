"""What a user may write of a port."""

from __future__ import annotations

from typing import Annotated

from stead.core.address import Address
from stead.core.fields import Example, Ip, Mac, Ref, Text
from stead.core.value import value
from stead.kinds.shared.interfaces import AllowedAddress


@value
class Port:
    network: Annotated[Address, Ref("networks"), "Network it is in", Example("app")]
    address: Annotated[
        Annotated[str, Ip()] | tuple[Annotated[str, Ip()], ...],
        "Its address, or one for each family; left out, it is chosen",
        Example("10.20.0.10"),
    ] = ()
    mac: Annotated[str | None, Mac(), "Its MAC address; left out, it is chosen", Example("52:54:00:12:34:56")] = None
    security_groups: Annotated[
        tuple[Annotated[Address, Ref("security_groups")], ...] | None,
        "Security groups; left out, those of the instance that uses it",
        Example(["web"]),
    ] = None
    port_security: Annotated[bool | None, "Filter and refuse forged addresses; left out, as the network says"] = None
    allowed_addresses: Annotated[
        tuple[AllowedAddress, ...], "Addresses it may use beside its own", Example(["10.20.0.100"])
    ] = ()
    enabled: Annotated[bool, "Whether it may be used; when false, it only keeps its addresses"] = True
    description: Annotated[str, Text(lines=True), "For people"] = ""
