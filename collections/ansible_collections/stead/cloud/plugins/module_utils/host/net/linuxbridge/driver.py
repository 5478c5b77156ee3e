"""Networks of Linux's own means: bridges and VXLAN, dnsmasq, nftables, and libvirt's filters."""

from __future__ import annotations

from ..driver import HostNetworkDriver
from . import dhcp, floating_ips, load_balancers, lookouts, networks, ports, routers, security_groups
from .strays import strays

DRIVER = HostNetworkDriver(
    name="linuxbridge",
    types=networks.TYPES,
    networks=networks,
    security_groups=security_groups,
    routers=routers,
    floating_ips=floating_ips,
    ports=ports,
    lookouts=lookouts,
    inside=dhcp.namespace_of,
    strays=strays,
    expect=networks.expect,
    load_balancers=load_balancers,
)
