"""What a user may write of a router."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from stead.core.address import Address
from stead.core.fields import (
    Cidr,
    Example,
    Granted,
    Ip,
    Ref,
    Text,
)
from stead.core.value import value
from stead.kinds.shared.forwards import Forward
from stead.kinds.shared.two_hosts import Ha, OwnHost


@value
class External:
    """The way out."""

    SHORT: ClassVar[str] = "network"

    network: Annotated[Address, Ref("networks"), "An external network", Example("public")]
    address: Annotated[
        Annotated[str, Ip()] | tuple[Annotated[str, Ip()], ...],
        "The router's address there, one for each family at most; left out, it is chosen",
        Example("203.0.113.5"),
    ] = ()


@value
class Interface:
    """A network that the router joins."""

    SHORT: ClassVar[str] = "network"

    network: Annotated[Address, Ref("networks"), "The network", Example("app")]
    port: Annotated[
        Address | None,
        Ref("ports"),
        "Port of this network that it is; the port says the router's address",
        Example("inner"),
    ] = None
    address: Annotated[
        Annotated[str, Ip()] | tuple[Annotated[str, Ip()], ...],
        "The router's address there, where it is not the gateway of the subnet",
        Example("10.20.0.254"),
    ] = ()


@value
class StaticRoute:
    to: Annotated[str, Cidr(), "Where it leads", Example("192.168.0.0/16")]
    via: Annotated[str, Ip(), "The next hop, on a network of the router", Example("10.20.0.254")]


@value
class Router:
    networks: Annotated[tuple[Interface, ...], "Networks that it joins", Example(["app", "db"])] = ()
    external: Annotated[External | None, "External network that it leads to", Example("public")] = None
    uplink: Annotated[
        Literal["host"] | None,
        Granted("uplink"),
        "`host`: it leads out behind the address of the host it is on, without an external network",
        Example("host"),
    ] = None
    reach: Annotated[
        tuple[Annotated[str, Cidr(4)], ...],
        "Private addresses outside that it leads to with `uplink: host`, beside public ones",
        Example(["192.168.1.0/24"]),
    ] = ()
    forwards: Annotated[
        tuple[Forward, ...],
        "Ports of its address outside that lead to instances; with `uplink: host`, of the host's own address",
        Example([{"port": 8080, "to": "web[0]:80"}]),
    ] = ()
    snat: Annotated[bool, Granted("snat_off"), "Hide inner addresses behind the router's own on the way out"] = True
    routes: Annotated[
        tuple[StaticRoute, ...], "Static routes", Example([{"to": "192.168.0.0/16", "via": "10.20.0.254"}])
    ] = ()
    ha: Ha = "auto"
    enabled: Annotated[bool, "Whether it forwards; when false, it keeps its addresses and is on no host"] = True
    host: OwnHost = ""
    description: Annotated[str, Text(lines=True), "For people"] = ""
