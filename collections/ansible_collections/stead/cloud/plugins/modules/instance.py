#!/usr/bin/python
# Copyright: Stead contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: instance
short_description: Keep an instance on a host
description:
  - Defines a libvirt domain with a root disk over an image, interfaces in networks, and a seed for cloud-init.
  - What libvirt changes in a running guest is changed there. What needs another start is made so by O(restart).
version_added: 0.1.0
author:
  - Stead contributors (@stead-cloud)
extends_documentation_fragment: [stead.cloud.instance, stead.cloud.keeping]
"""

EXAMPLES = r"""
- name: Run a server
  stead.cloud.instance:
    project: acme
    name: jobs
    image: debian-12
    memory: 2GiB
    networks:
      - {network: app, mac: "52:54:00:00:00:05"}

- name: Run a database with two cores and room to grow
  stead.cloud.instance:
    project: acme
    name: db
    image: debian-12
    vcpus: 2
    topology: {cores: 2}
    memory: 1GiB
    max_memory: 2GiB
    networks:
      - {network: app, mac: "52:54:00:00:00:06"}

- name: Run a web server, and go on when it answers
  stead.cloud.instance:
    project: acme
    name: web
    image: debian-12
    networks:
      - {network: app, mac: "52:54:00:00:00:01", address: 10.20.0.11/24}
    wait: {for: http, path: /health, source: 10.20.0.253/24, timeout: 120}
"""

RETURN = r"""
uuid:
  description: Identity of the instance, and of its domain.
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
ready:
  description: What it was waited for, and for how many seconds.
  returned: when it was started and O(wait) is given
  type: dict
  sample:
    for: ssh on port 22
    seconds: 14.2
"""

import ipaddress
from typing import Any, Dict, Iterator, Mapping, Tuple

from ansible.module_utils.basic import AnsibleModule

from ..module_utils.arguments import instance as arguments
from ..module_utils.host.base import ledger
from ..module_utils.host.base.errors import Failed, FailureCode
from ..module_utils.host.run import standalone
from ..module_utils.wire.parts import DEFAULT_STORAGE

NO_HARDWARE = FailureCode("STEAD-E500", "an instance needs a processor and memory")
NO_TIMEOUT = FailureCode("STEAD-E501", "a wait needs a timeout")
BESIDE = FailureCode("STEAD-E502", "the field does not apply to this check")
NO_NETWORK = FailureCode("STEAD-E503", "a check over the network needs a source address")
BAD_SOURCE = FailureCode("STEAD-E504", "the source address cannot be used")
NO_VOLUME = FailureCode("STEAD-E505", "a volume is not on the host")

PORTS = {"ssh": 22, "http": 80}
BY_AGENT = ("agent", "cloud-init")
MACHINES = {"x86_64": "q35", "ppc64le": "pseries", "s390x": "s390-ccw-virtio"}
STATES = ("running", "stopped", "paused", "suspended")
POOL = {"name": "default", "type": DEFAULT_STORAGE}


def main() -> None:
    module = AnsibleModule(
        argument_spec=arguments.OPTIONS,
        required_if=[("state", state, ("image",)) for state in STATES],
        supports_check_mode=True,
    )
    given = module.params
    address = standalone.address_of(given["project"], "instances", given["name"])
    if given["state"] == "absent":
        standalone.carry_out(module, address, None)
    try:
        want = wanted(given, address, module.check_mode)
    except (Failed, ValueError) as error:
        module.fail_json(msg=str(error))
    made = ledger.read("instances", want["uuid"])
    # What ready means is nothing that a start brings about, and another state is reached without one.
    apart = {"wait": None, "state": None}
    restarts = given["restart"] and made is not None and dict(made["want"], **apart) != dict(want, **apart)
    standalone.carry_out(module, address, want, action="reboot" if restarts else None)


def wanted(given: Mapping[str, Any], address: str, check: bool) -> Dict[str, Any]:
    image = standalone.address_of("", "images", given["image"])
    passed = standalone.passed(given, arguments.PASSED)
    if not passed.get("memory") or passed["vcpus"] < 1:
        raise Failed(
            NO_HARDWARE, "An instance needs a processor and memory. Write, for example, vcpus: 1 and memory: 1GiB."
        )
    want = hardware(passed)
    want.update(
        {
            "name": "{0}.{1}".format(given["project"], given["name"]),
            "uuid": standalone.uuid_of(address),
            "hostname": given["name"],
            "hypervisor": given["hypervisor"],
            "cpu": "host-model" if given["hypervisor"] == "kvm" else "maximum",
            "image": {"address": image, "uuid": standalone.uuid_of(image)},
            "root": {"bus": "virtio", "format": "qcow2", "pool": POOL, "size": standalone.size(given["disk"])},
            "seed": {"keys": given["keys"], "on_change": "keep", "user_data": given["user_data"]},
            "state": given["state"],
            "volumes": attached(address) if given["volumes"] is None else dict(volumes(given, check)),
        }
    )
    want.update(passed)
    nics = [interface(one, at, given["project"]) for at, one in enumerate(given["networks"])]
    keys = ["{0}:{1}".format(one["network"], at) for at, one in enumerate(given["networks"])]
    want["nics"] = {key: nic for key, (nic, _port) in zip(keys, nics)}
    want["ports"] = {key: port for key, (_nic, port) in zip(keys, nics)}
    if given["wait"]:
        want["wait"] = waited(given["wait"], want)
    return want


def waited(given: Mapping[str, Any], want: Dict[str, Any]) -> Dict[str, Any]:
    """What ready means, as the host is to look."""
    what = given["for"]
    if given["timeout"] < 1:
        raise Failed(
            NO_TIMEOUT, "With a timeout of 0, every start fails. Write, for example, timeout: 300, or leave wait out."
        )
    beside = {"port": tuple(PORTS), "path": ("http",), "status": ("http",)}
    for name, those in beside.items():
        if given[name] is not None and what not in those:
            raise Failed(
                BESIDE, "{0} applies to {1}, and this waits for {2}. Remove it.".format(name, " and ".join(those), what)
            )
    found = standalone.passed(given, arguments.WAIT_PASSED)
    if what in PORTS:
        found.setdefault("port", PORTS[what])
    if what == "http":
        found.setdefault("path", "/")
    if what not in BY_AGENT:
        found.update(looked_at(given, want))
    return found


def looked_at(given: Mapping[str, Any], want: Dict[str, Any]) -> Dict[str, Any]:
    """The interface that is looked at, and where its host looks from."""
    if not given["source"]:
        text = "{0} is checked over the network. Write source: a free address of it with its prefix length."
        raise Failed(NO_NETWORK, text.format(given["for"]))
    source = ipaddress.ip_interface(given["source"])
    for key, port in want["ports"].items():
        addresses = [ipaddress.ip_address(one) for one in port["addresses"]]
        if source.ip in addresses:
            raise Failed(
                BAD_SOURCE,
                "{0} is the instance's own address. Write another address as source.".format(source.ip),
            )
        if any(one in source.network for one in addresses):
            mac = standalone.mac_of("{0} {1}".format(want["nics"][key]["network_uuid"], source.ip))
            return {"from": {"address": str(source), "mac": mac}, "nic": key}
    text = "No interface has an address in {0}. Write address: in networks."
    raise Failed(BAD_SOURCE, text.format(source.network))


def hardware(passed: Mapping[str, Any]) -> Dict[str, Any]:
    """What is left out in a task."""
    import platform

    architecture = passed.get("architecture") or platform.machine()
    return {
        "architecture": architecture,
        "machine": MACHINES.get(architecture, "virt"),
        "firmware": "bios" if architecture == "x86_64" else "uefi",
        "max_memory": passed["memory"],
        "max_vcpus": passed["vcpus"],
    }


def interface(given: Mapping[str, Any], position: int, project: str) -> Tuple[Dict[str, Any], Dict[str, Any]]:
    """In the project's network of that name, or else in the site's."""
    own = standalone.uuid_of(standalone.address_of(project, "networks", given["network"]))
    shared = standalone.uuid_of(standalone.address_of("", "networks", given["network"]))
    # Neither is there in check mode, when a task before would make it: most likely the project's own.
    is_shared = ledger.read("networks", own) is None and ledger.read("networks", shared) is not None
    network = shared if is_shared else own
    subnet, addresses = {"cidr": "0.0.0.0/0", "dhcp": True, "dns": []}, []
    if given["address"]:
        at = ipaddress.ip_interface(given["address"])
        subnet, addresses = {"cidr": str(at.network), "dhcp": False, "dns": []}, [str(at.ip)]
    nic = {
        **standalone.passed(given, arguments.NETWORKS_PASSED),
        "filtered": False,
        "groups": [],
        "mtu": given["mtu"],
        "network": given["network"],
        "network_uuid": network,
        "position": position,
        "routed": position == 0,
        "subnets": [subnet],
    }
    return nic, {"addresses": addresses, "mac": given["mac"].lower()}


def attached(address: str) -> Dict[str, Any]:
    made = ledger.read("instances", standalone.uuid_of(address))
    return made["want"].get("volumes", {}) if made else {}


def volumes(given: Mapping[str, Any], check: bool) -> Iterator[Tuple[str, Dict[str, Any]]]:
    """In check mode one may be missing that a task before would have made, as it does when nothing else is said."""
    for letter, name in zip("bcdefghijklmnopqrstuvw", given["volumes"]):
        address = standalone.address_of(given["project"], "volumes", name)
        identity = standalone.uuid_of(address)
        made = ledger.read("volumes", identity)
        if made is None and not check:
            raise Failed(
                NO_VOLUME, "Volume {0} is not on this host. Make it with stead.cloud.volume first.".format(name)
            )
        there = made["want"] if made else {"format": "qcow2", "pool": POOL, "shareable": False, "uuid": identity}
        yield address, dict(standalone.attached(there), bus="virtio", device="vd" + letter, mode="rw")


if __name__ == "__main__":
    main()
