# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The options of stead.cloud.subnet_dhcp. Made by scripts/generate; do not edit."""

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options:
  network:
    description: Name of the network.
    type: str
    required: true
  project:
    description: Project that the network belongs to. Left out, it belongs to the site.
    type: str
    default: ''
  subnet:
    description: Name of the subnet.
    type: str
    default: v4
  cidr:
    description: Addresses of the subnet. Required unless O(state=absent).
    type: str
  address:
    description: Address of the server in the subnet. Required unless O(state=absent).
    type: str
  gateway:
    description: Address of the router that clients are given. Left out, they are given none.
    type: str
  dns:
    description: Name servers that the server asks for names that it does not know. It reaches them through
      O(gateway).
    type: list
    elements: str
    default: []
  routes:
    description: Routes beside the default one that clients are given.
    type: list
    elements: dict
    default: []
    suboptions:
      to:
        description: Destination, as C(192.168.0.0/16).
        type: str
        required: true
      via:
        description: The next hop.
        type: str
        required: true
  domain:
    description: Domain of the names.
    type: str
    default: stead.internal
  leases:
    description: Interfaces that are served.
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
      name:
        description: Name that resolves to them.
        type: str
        required: true
  host:
    description: Name of this host in the C(peers) of the network.
    type: str
    default: ''
  state:
    description: Whether the subnet is served.
    type: str
    choices:
      - present
      - absent
    default: present
"""
