"""What a user may write of a network and its subnets."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from stead.core.fields import (
    INVENTORY,
    Cidr,
    Example,
    Granted,
    Ip,
    Name,
    Range,
    Text,
    Whole,
)
from stead.core.value import field, value
from stead.drivers.network import DEFAULT


@value
class SubnetRoute:
    """A way to other networks, told to instances by DHCP and in their network configuration."""

    to: Annotated[str, Cidr(), "Where it leads", Example("192.168.0.0/16")]
    via: Annotated[str, Ip(), "The next hop, in the subnet", Example("10.20.0.254")]


@value
class Subnet:
    cidr: Annotated[str, Cidr(), "The addresses of the subnet", Example("10.20.0.0/24")]
    gateway: Annotated[
        Annotated[str, Ip()] | Literal["none"] | None,
        "Address of the router; left out, the first of the subnet; `none` for a subnet that leads nowhere",
        Example("10.20.0.1"),
    ] = None
    pool: Annotated[
        str | None,
        Range(),
        "Addresses that are given out; left out, all that are free",
        Example("10.20.0.10-10.20.0.99"),
    ] = None
    reserved: Annotated[
        tuple[Annotated[str, Ip()], ...], "Addresses that are never given out unless asked for", Example(["10.20.0.53"])
    ] = ()
    dhcp: Annotated[
        bool | None,
        "Serve addresses and names in the subnet. Left out, it is on, save on external networks",
    ] = None
    dhcp_address: Annotated[
        str | None, Ip(), "Address of the DHCP and DNS server; left out, the last free one", Example("10.20.0.2")
    ] = None
    dns: Annotated[
        tuple[Annotated[str, Ip()], ...],
        "Name servers that the network's own server asks for other names, or that instances ask where it has none; "
        "left out, the site's",
        Example(["9.9.9.9"]),
    ] = ()
    routes: Annotated[
        tuple[SubnetRoute, ...],
        "Routes beside the default one",
        Example([{"to": "192.168.0.0/16", "via": "10.20.0.254"}]),
    ] = ()
    ipv6: Annotated[
        Literal["dhcp", "slaac"],
        "How instances come by their IPv6 address: told by DHCPv6, or made from their MAC address",
    ] = "dhcp"


@value
class Network:
    type: Annotated[
        Literal["vxlan", "geneve", "gre", "vlan", "flat"],
        "Tunnels between hosts (vxlan, geneve, gre), a VLAN of a physical network, or a physical network as it is",
    ] = "vxlan"
    driver: Annotated[
        str, Name(), "How it is made on the hosts; the reference of drivers says what each can do", Example(DEFAULT)
    ] = DEFAULT
    physical: Annotated[
        str | None,
        Name(),
        "Physical network under a flat or vlan network, as the inventory names it",
        Example("external"),
    ] = None
    vlan: Annotated[int | None, Whole(least=1, most=4094), "VLAN id; left out, it is chosen", Example(120)] = None
    vni: Annotated[
        int | None,
        Whole(least=1, most=16_777_215),
        Granted("vnis"),
        "Tunnel id; left out, it is chosen",
        Example(10_042),
    ] = None
    mtu: Annotated[
        int | None,
        Whole(least=576, most=65_535),
        "Largest packet; left out, what the underlay can carry",
        Example(1450),
    ] = None
    subnets: Annotated[
        Mapping[Annotated[str, Name()], Subnet], "Subnets by name", Example({"v4": {"cidr": "10.20.0.0/24"}})
    ] = field(default_factory=dict)
    external: Annotated[bool, "It leads outside: routers may use it as their way out, floating IPs come from it"] = (
        False
    )
    shared: Annotated[bool, "Instances of every project may join it. Of a site's network only"] = True
    port_security: Annotated[
        bool,
        Granted("port_security_off"),
        "Filter by security groups and refuse forged addresses; interfaces may say otherwise",
    ] = True
    domain: Annotated[
        str | None,
        Text(pattern=r"[a-z0-9]([a-z0-9.-]*[a-z0-9])?", what="a DNS domain", longest=200),
        "DNS domain of its instances; left out, the project's",
        Example("app.example.org"),
    ] = None
    ha: Annotated[
        bool | Literal["auto"],
        "Whether its DHCP and DNS server is on a second network host too, at an address of its own. `auto`: where "
        "another network host fits and an address is free; `true`: refuse or warn where not",
        Example(True),
    ] = "auto"
    host: Annotated[
        str,
        INVENTORY,
        Granted("hosts"),
        "The network host that serves it; left out, it is chosen",
        Example("network-1"),
    ] = ""
    description: Annotated[str, Text(lines=True), "For people"] = ""
