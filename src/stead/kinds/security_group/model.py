"""What a user may write of a security group."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from stead.core.address import Address
from stead.core.fields import Cidr, Example, Filled, Ports, Ref, Text, Whole
from stead.core.value import value

# What rules of both directions say.
Protocol = Annotated[
    Literal[
        "any", "tcp", "udp", "sctp", "udplite", "dccp", "icmp", "icmpv6", "igmp", "gre", "esp", "ah", "ipip", "ospf",
        "vrrp",
    ],
    "Protocol",
    Example("tcp"),
]  # fmt: skip
PortList = Annotated[
    Annotated[str, Ports()] | Annotated[tuple[Annotated[str, Ports()], ...], Filled("all of them")],
    "Destination ports, of tcp, udp, sctp, udplite and dccp; left out, all",
    Example([80, 443, "8000-8010"]),
]
IcmpType = Annotated[int | None, Whole(least=0, most=255), "ICMP type; left out, all", Example(8)]
IcmpCode = Annotated[int | None, Whole(least=0, most=255), "ICMP code; left out, all", Example(0)]
Family = Annotated[Literal["ipv4", "ipv6"] | None, "IPv4 or IPv6 only; left out, what the rest allows"]


@value
class Side:
    """Who is on the other side: addresses, or whoever is in a group."""

    SHORT: ClassVar[str] = "cidr"

    cidr: Annotated[str | None, Cidr(), "Addresses", Example("10.0.0.0/8")] = None
    group: Annotated[
        Address | None, Ref("security_groups", orderly=False), "Every interface in this group", Example("bastion")
    ] = None


Others = Side | Annotated[tuple[Side, ...], Filled("anyone")]


@value
class Ingress:
    """Lets in what matches. Answers to what was let through always pass."""

    protocol: Protocol = "any"
    ports: PortList = ()
    type: IcmpType = None
    code: IcmpCode = None
    family: Family = None
    from_: Annotated[
        Others,
        "Who may come in: a CIDR, a group, or a list of them; left out, anyone",
        Example({"group": "bastion"}),
    ] = ()
    description: Annotated[str, Text(lines=True), "For people"] = ""


@value
class Egress:
    """Lets out what matches."""

    protocol: Protocol = "any"
    ports: PortList = ()
    type: IcmpType = None
    code: IcmpCode = None
    family: Family = None
    to: Annotated[
        Others,
        "Who may be reached: a CIDR, a group, or a list of them; left out, anyone",
        Example("0.0.0.0/0"),
    ] = ()
    description: Annotated[str, Text(lines=True), "For people"] = ""


@value
class SecurityGroup:
    ingress: Annotated[
        tuple[Ingress, ...] | None,
        "What may come in. Left out, nothing; in the group named `default`, whatever comes from the same group",
        Example([{"protocol": "tcp", "ports": [80, 443]}]),
    ] = None
    egress: Annotated[
        tuple[Egress, ...] | None, "What may go out. Left out, everything; an empty list lets nothing out"
    ] = None
    stateful: Annotated[bool, "Let the answers to allowed traffic pass by themselves"] = True
    description: Annotated[str, Text(lines=True), "For people"] = ""
