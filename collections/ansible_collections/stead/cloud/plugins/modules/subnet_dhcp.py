#!/usr/bin/python
# Copyright: Stead contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: subnet_dhcp
short_description: Serve addresses and names in a subnet
description:
  - Makes this host serve DHCP and DNS in a subnet of a network that M(stead.cloud.network) keeps on it.
  - Only those in O(leases) are served, each with its address; everybody in the network may ask for names.
  - A network has one server for all of its subnets. It comes back when it is killed, and after a boot.
version_added: 0.1.0
author:
  - Stead contributors (@stead-cloud)
seealso:
  - module: stead.cloud.network
extends_documentation_fragment: [stead.cloud.subnet_dhcp, stead.cloud.keeping]
"""

EXAMPLES = r"""
- name: Serve a subnet of the network app
  stead.cloud.subnet_dhcp:
    project: acme
    network: app
    cidr: 10.20.0.0/24
    address: 10.20.0.2
    gateway: 10.20.0.1
    dns: [9.9.9.9]
    domain: acme.example.org
    leases:
      - {mac: "52:54:00:00:00:01", addresses: [10.20.0.11], name: web-1}
"""

RETURN = r"""
uuid:
  description: Identity of the network on this host.
  returned: always
  type: str
before:
  description: What the host's ledger had of the network before. Empty when there was nothing.
  returned: always
  type: dict
after:
  description: What the ledger has of the network now, or would have after a run without check mode.
  returned: always
  type: dict
done:
  description: What was done, or would be done in check mode.
  returned: always
  type: list
  elements: str
"""

import copy
import ipaddress
from typing import Any, Dict, Mapping

from ansible.module_utils.basic import AnsibleModule

from ..module_utils.arguments import subnet_dhcp as arguments
from ..module_utils.host.base import ledger
from ..module_utils.host.run import standalone


def main() -> None:
    module = AnsibleModule(
        argument_spec=arguments.OPTIONS,
        required_if=[("state", "present", ("cidr", "address"))],
        supports_check_mode=True,
    )
    given = module.params
    address = standalone.address_of(given["project"], "networks", given["network"])
    made = ledger.read("networks", standalone.uuid_of(address))
    if made is None:
        if given["state"] == "absent":
            module.exit_json(changed=False, uuid=standalone.uuid_of(address), before={}, after={}, done=[])
        if module.check_mode:  # an earlier task would have made it
            done = ["serve {0} of {1}".format(given["cidr"], address)]
            module.exit_json(changed=True, uuid=standalone.uuid_of(address), before={}, after={}, done=done)
        module.fail_json(msg="{0} is not on this host. Keep it here by stead.cloud.network first.".format(address))
        return
    want = copy.deepcopy(made["want"])
    if given["state"] == "present":
        try:
            serve(want, given, address)
        except ValueError as error:
            module.fail_json(msg="{0}.".format(error))
    else:
        cease(want, given["subnet"])
    standalone.carry_out(module, address, want)


def serve(want: Dict[str, Any], given: Mapping[str, Any], address: str) -> None:
    """Every address is in the subnet; an address that cannot be is a ValueError."""
    net = ipaddress.ip_network(given["cidr"])
    for one in [given["address"], given["gateway"]]:
        if one and ipaddress.ip_address(one) not in net:
            raise ValueError("{0} is not in {1}".format(one, net))
    cease(want, given["subnet"])
    subnet = {"cidr": str(net), "server": given["address"], "routes": given["routes"], "dns": [given["address"]]}
    want["subnets"][given["subnet"]] = dict(subnet, **({"gateway": given["gateway"]} if given["gateway"] else {}))
    service = want.setdefault("service", {"addresses": [], "hosts": {}, "mac": standalone.mac_of(address), "names": {}})
    service["domain"] = given["domain"]
    service["addresses"].append("{0}/{1}".format(given["address"], net.prefixlen))
    service["addresses"].sort()
    service["upstream"] = sorted(set(service.get("upstream", [])) | set(given["dns"]))
    for lease in given["leases"]:
        known = service["hosts"].setdefault(lease["mac"].lower(), {"addresses": [], "name": lease["name"]})
        known["name"] = lease["name"]
        known["addresses"] = sorted(set(known["addresses"]) | set(lease["addresses"]))
    _reached(want, service, given["host"])


def cease(want: Dict[str, Any], name: str) -> None:
    """Without the subnet; and without a server, when it was the last that is served."""
    subnet = want["subnets"].pop(name, None)
    service = want.get("service")
    if subnet is None or service is None:
        return
    net = ipaddress.ip_network(subnet["cidr"])
    service["addresses"] = [one for one in service["addresses"] if ipaddress.ip_interface(one).ip not in net]
    if not service["addresses"]:
        del want["service"]
        want.get("forwarding", {}).pop(service["mac"], None)
        return
    for lease in service["hosts"].values():
        lease["addresses"] = [one for one in lease["addresses"] if ipaddress.ip_address(one) not in net]
    service["hosts"] = {mac: lease for mac, lease in service["hosts"].items() if lease["addresses"]}


def _reached(want: Dict[str, Any], service: Mapping[str, Any], host: str) -> None:
    """Other hosts of the network have to be told by stead.cloud.network; this one knows that it is here."""
    if want["type"] == "vxlan":
        bare = [one.partition("/")[0] for one in service["addresses"]]
        want.setdefault("forwarding", {})[service["mac"]] = {"addresses": bare, "at": host}


if __name__ == "__main__":
    main()
