"""What a user may write of a port."""

from __future__ import annotations

from typing import Annotated

from stead.core.address import Address
from stead.core.fields import Example, Ref, Text
from stead.core.value import value
from stead.kinds.shared.interfaces import AllowedAddresses, OwnAddress, OwnMac, OwnSubnets, PortSecurity


@value
class Port:
    network: Annotated[Address, Ref("networks"), "Network it is in", Example("app")]
    address: OwnAddress = ()
    subnets: OwnSubnets = None
    mac: OwnMac = None
    security_groups: Annotated[
        tuple[Annotated[Address, Ref("security_groups")], ...] | None,
        "Security groups; left out, those of the instance that uses it",
        Example(["web"]),
    ] = None
    port_security: PortSecurity = None
    allowed_addresses: AllowedAddresses = ()
    enabled: Annotated[bool, "Whether it may be used; when false, it only keeps its addresses"] = True
    description: Annotated[str, Text(lines=True), "For people"] = ""
