"""What tasks of a playbook say of a network, and of the server for one of its subnets."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from ansible_collections.stead.cloud.plugins.module_utils.wire.network import NetworkWant
from stead.core.task import TaskForm, kept
from stead.core.value import field, value
from stead.drivers.network import DEFAULT, named
from stead.kinds.network.model import Network


@value
class PortWords:
    mac: Annotated[str, "MAC address of the interface"]
    addresses: Annotated[tuple[str, ...], "Its IP addresses"]
    host: Annotated[str, "Host that it is on"]
    name: Annotated[str, "Name that resolves to it"]


@value
class ServiceWords:
    addresses: Annotated[tuple[str, ...], "Addresses of the server, with their prefix lengths"]
    domain: Annotated[str, "Domain of the names"]


@value
class NetworkWords:
    name: Annotated[str, "Name of the network"]
    project: Annotated[str, "Project that it belongs to. Left out, it belongs to the site"] = ""
    type: Annotated[
        str, "V(vxlan) for tunnels between hosts, V(vlan) for a VLAN of a physical network, V(flat) for all of it"
    ] = "vxlan"
    device: Annotated[
        str | None,
        "Device of the physical network. It must have no addresses of its own. Required for O(type=vlan) and "
        "O(type=flat)",
    ] = None
    host: Annotated[str, "Name of this host in O(peers) and O(ports)"] = ""
    peers: Annotated[Mapping[str, str], "Hosts that have the network, and their addresses on the underlay, by name"] = (
        field(default_factory=dict)
    )
    ports: Annotated[tuple[PortWords, ...], "Interfaces in the network"] = ()
    subnets: Annotated[
        Mapping[str, Any],
        "Subnets by name, with C(cidr) and, if there are any, C(gateway), C(server) and C(dns)",
        "C(server) is the address of the network's DHCP server. A subnet without one leases no addresses",
    ] = field(default_factory=dict)
    service: Annotated[
        ServiceWords | None,
        "Makes this host serve DHCP and DNS. Left out, it keeps what M(stead.cloud.subnet_dhcp) set up",
    ] = None
    state: Annotated[Literal["present", "absent"], "Whether the host has it"] = "present"


@value
class RouteWords:
    to: Annotated[str, "Destination, as C(192.168.0.0/16)"]
    via: Annotated[str, "The next hop"]


@value
class LeaseWords:
    mac: Annotated[str, "MAC address of the interface"]
    addresses: Annotated[tuple[str, ...], "Its IP addresses"]
    name: Annotated[str, "Name that resolves to them"]


@value
class SubnetWords:
    network: Annotated[str, "Name of the network"]
    project: Annotated[str, "Project that the network belongs to. Left out, it belongs to the site"] = ""
    subnet: Annotated[str, "Name of the subnet"] = "v4"
    cidr: Annotated[str | None, "Addresses of the subnet. Required unless O(state=absent)"] = None
    address: Annotated[str | None, "Address of the server in the subnet. Required unless O(state=absent)"] = None
    gateway: Annotated[str | None, "Address of the router that clients are given. Left out, they are given none"] = None
    dns: Annotated[
        tuple[str, ...],
        "Name servers that the server asks for names that it does not know. It reaches them through O(gateway)",
    ] = ()
    routes: Annotated[tuple[RouteWords, ...], "Routes beside the default one that clients are given"] = ()
    domain: Annotated[str, "Domain of the names"] = "stead.internal"
    leases: Annotated[tuple[LeaseWords, ...], "Interfaces that are served"] = ()
    host: Annotated[str, "Name of this host in the C(peers) of the network"] = ""
    state: Annotated[Literal["present", "absent"], "Whether the subnet is served"] = "present"


TASKS = {
    "network": TaskForm(
        own=(NetworkWords,),
        models=(Network,),
        want=NetworkWant,
        defaults={"mtu": 1450},
        texts={
            "vni": "Tunnel id. Required for O(type=vxlan).",
            "vlan": "VLAN id. Required for O(type=vlan).",
            "mtu": "Largest packet.",
        },
        without={"physical": "a host has devices; the names of physical networks are the inventory's"},
        choices={"type": tuple(named(DEFAULT).overhead)},
        returned=kept("the network on this host"),
    ),
    "subnet_dhcp": TaskForm(own=(SubnetWords,), returned=kept("the network on this host", " of the network")),
}
