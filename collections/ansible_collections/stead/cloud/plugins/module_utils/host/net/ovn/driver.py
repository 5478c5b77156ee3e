"""Networks of OVN: switches, DHCP, names and filters that all hosts have from one database, over Geneve."""

from __future__ import annotations

from ..driver import HostNetworkDriver
from . import floating_ips, networks, ports, preparing, routers, security_groups
from .naming import namespace_name

DRIVER = HostNetworkDriver(
    name="ovn",
    types=networks.TYPES,
    networks=networks,
    security_groups=security_groups,
    routers=routers,
    floating_ips=floating_ips,
    ports=ports,
    lookouts=None,
    inside=namespace_name,
    strays=lambda _made, _links: [],
    expect=networks.expect,
    prepare=preparing.prepare,
)
