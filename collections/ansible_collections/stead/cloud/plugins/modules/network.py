#!/usr/bin/python
# Copyright: Stead contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: network
short_description: Keep a tenant network on a host
description:
  - Makes a bridge that is joined to other hosts by VXLAN, or to a physical network.
  - Nothing is learned and unknown packets are not flooded, O(ports) says who is where.
  - With O(service), the host serves DHCP and DNS of the network, to the O(ports) only.
version_added: 0.1.0
author:
  - Stead contributors (@stead-cloud)
extends_documentation_fragment: [stead.cloud.network, stead.cloud.keeping]
"""

EXAMPLES = r"""
- name: Join two hosts in one network
  stead.cloud.network:
    project: acme
    name: app
    vni: 10042
    host: "{{ inventory_hostname }}"
    peers:
      compute-1: 192.0.2.11
      compute-2: 192.0.2.12
    ports:
      - {mac: "52:54:00:00:00:01", addresses: [10.20.0.11], host: compute-1, name: web-1}
      - {mac: "52:54:00:00:00:02", addresses: [10.20.0.12], host: compute-2, name: web-2}

- name: Lease addresses in a network of one host
  stead.cloud.network:
    project: acme
    name: lone
    vni: 10043
    host: compute-1
    peers: {compute-1: 192.0.2.11}
    ports:
      - {mac: "52:54:00:00:00:03", addresses: [10.21.0.11], host: compute-1, name: web-3}
    subnets:
      v4: {cidr: 10.21.0.0/24, server: 10.21.0.2, dns: []}
    service: {addresses: [10.21.0.2/24], domain: lone.internal}
"""

RETURN = r"""
uuid:
  description: Identity of the network on this host.
  returned: always
  type: str
before:
  description: What the host's ledger had before. Empty when there was nothing.
  returned: always
  type: dict
after:
  description: What the ledger has now, or would have after a run without check mode.
  returned: always
  type: dict
done:
  description: What was done, or would be done in check mode.
  returned: always
  type: list
  elements: str
"""

import ipaddress
from typing import Any, Dict, Mapping

from ansible.module_utils.basic import AnsibleModule

from ..module_utils.arguments import network as arguments
from ..module_utils.host.base import ledger
from ..module_utils.host.run import standalone


def main() -> None:
    module = AnsibleModule(
        argument_spec=arguments.OPTIONS,
        supports_check_mode=True,
    )
    given = module.params
    if given["state"] == "present":
        needed = {"vxlan": ("vni",), "vlan": ("vlan", "device"), "flat": ("device",)}[given["type"]]
        missing = [name for name in needed if not given[name]]
        if missing:
            module.fail_json(msg="A network of type {0} needs {1}.".format(given["type"], " and ".join(missing)))
        for name, subnet in sorted(given["subnets"].items()):
            _refuse(module, name, subnet)
    address = standalone.address_of(given["project"], "networks", given["name"])
    standalone.carry_out(module, address, wanted(given, address) if given["state"] == "present" else None)


def _refuse(module: AnsibleModule, name: str, subnet: Mapping[str, Any]) -> None:
    try:
        ipaddress.ip_network(subnet["cidr"])
    except (KeyError, TypeError):
        module.fail_json(msg="Subnet {0} has no cidr. Write it as {{cidr: 10.20.0.0/24}}.".format(name))
    except ValueError as error:
        module.fail_json(msg="The cidr of subnet {0} is no network: {1}.".format(name, error))


def wanted(given: Mapping[str, Any], address: str) -> Dict[str, Any]:
    want = standalone.passed(given, arguments.PASSED)
    want.update(type=given["type"], subnets=given["subnets"], name=address, uuid=standalone.uuid_of(address))
    if given["device"]:
        want["device"] = given["device"]
    forwarding = {one["mac"].lower(): {"addresses": one["addresses"], "at": one["host"]} for one in given["ports"]}
    if given["service"]:
        mac = standalone.mac_of(address)
        forwarding[mac] = {"addresses": [one.partition("/")[0] for one in given["service"]["addresses"]]}
        forwarding[mac]["at"] = given["host"]
        hosts = {one["mac"].lower(): {"addresses": one["addresses"], "name": one["name"]} for one in given["ports"]}
        want["service"] = dict(given["service"], hosts=hosts, mac=mac, names={})
    else:
        _keep_served(want, forwarding)
    if given["type"] == "vxlan":
        want.update(forwarding=forwarding, peers=given["peers"])
    return want


def _keep_served(want: Dict[str, Any], forwarding: Dict[str, Any]) -> None:
    """What is served here by the other module."""
    made = ledger.read("networks", want["uuid"])
    service = made["want"].get("service") if made else None
    if made and service:
        want["service"] = service
        served = {name: one for name, one in made["want"]["subnets"].items() if "server" in one}
        want["subnets"] = dict(served, **want["subnets"])
        if service["mac"] in made["want"].get("forwarding", {}):
            forwarding[service["mac"]] = made["want"]["forwarding"][service["mac"]]


if __name__ == "__main__":
    main()
