# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The options of stead.cloud.network. Made by scripts/generate; do not edit."""

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options:
  name:
    description: Name of the network.
    type: str
    required: true
  project:
    description: Project that it belongs to. Left out, it belongs to the site.
    type: str
    default: ''
  type:
    description: V(vxlan) for tunnels between hosts, V(vlan) for a VLAN of a physical network, V(flat)
      for all of it.
    type: str
    choices:
      - vxlan
      - vlan
      - flat
    default: vxlan
  device:
    description: Device of the physical network. It must have no addresses of its own. Required for O(type=vlan)
      and O(type=flat).
    type: str
  host:
    description: Name of this host in O(peers) and O(ports).
    type: str
    default: ''
  peers:
    description: Hosts that have the network, and their addresses on the underlay, by name.
    type: dict
    default: {}
  ports:
    description: Interfaces in the network.
    type: list
    elements: dict
    default: []
    suboptions:
      mac:
        description: MAC address of the interface.
        type: str
        required: true
      addresses:
        description: Its IP addresses.
        type: list
        elements: str
        required: true
      host:
        description: Host that it is on.
        type: str
        required: true
      name:
        description: Name that resolves to it.
        type: str
        required: true
  subnets:
    description:
      - Subnets by name, with C(cidr) and, if there are any, C(gateway), C(server) and C(dns).
      - C(server) is the address of the network's DHCP server. A subnet without one leases no addresses.
    type: dict
    default: {}
  service:
    description: Makes this host serve DHCP and DNS. Left out, it keeps what M(stead.cloud.subnet_dhcp)
      set up.
    type: dict
    suboptions:
      addresses:
        description: Addresses of the server, with their prefix lengths.
        type: list
        elements: str
        required: true
      domain:
        description: Domain of the names.
        type: str
        required: true
  state:
    description: Whether the host has it.
    type: str
    choices:
      - present
      - absent
    default: present
  driver:
    description:
      - How it is made on the hosts; the reference of drivers says what each can do.
      - For example V(linuxbridge).
    type: str
    default: linuxbridge
  vlan:
    description: VLAN id. Required for O(type=vlan).
    type: int
  vni:
    description: Tunnel id. Required for O(type=vxlan).
    type: int
  mtu:
    description: Largest packet.
    type: int
    default: 1450
"""
