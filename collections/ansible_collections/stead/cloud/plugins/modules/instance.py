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
options:
  name:
    description: Name of the instance.
    type: str
    required: true
  project:
    description: Project that it belongs to.
    type: str
    required: true
  image:
    description: Name of an image on this host, kept by M(stead.cloud.image). Required unless O(state=absent).
    type: str
  vcpus:
    description: Virtual CPUs.
    type: int
    default: 1
  memory:
    description: Memory, as C(4GiB).
    type: str
    default: 1GiB
  disk:
    description: Size of the root disk, as C(10GiB).
    type: str
    default: 10GiB
  networks:
    description: Its interfaces, in order.
    type: list
    elements: dict
    default: []
    suboptions:
      network:
        description: Name of a network on this host, kept by M(stead.cloud.network).
        type: str
        required: true
      mac:
        description: MAC address.
        type: str
        required: true
      address:
        description: Address with its length, given statically. Left out, the guest asks by DHCP.
        type: str
      mtu:
        description: Largest packet.
        type: int
        default: 1450
  volumes:
    description:
      - Names of volumes of the project on this host, kept by M(stead.cloud.volume).
      - Left out, it keeps those that it has, as by M(stead.cloud.volume_attachment).
    type: list
    elements: str
  hypervisor:
    description: Hardware virtualisation or emulation.
    type: str
    choices: [kvm, qemu]
    default: kvm
  user_data:
    description: User data for cloud-init. It is read once, at the first boot.
    type: str
    default: ""
  keys:
    description: Public keys that may log in.
    type: list
    elements: str
    default: []
  stop_timeout:
    description: Seconds that it may take to shut down before it is switched off.
    type: int
    default: 60
  autostart:
    description: Start it with its host.
    type: bool
    default: true
  restart:
    description: Start it again where a change needs it. Otherwise such changes wait for the next start.
    type: bool
    default: false
  wait:
    description:
      - What ready means. A task that makes or starts the instance, or starts it again, ends when it is ready.
      - One that is not ready in time fails the task; the same task waits again.
    type: dict
    suboptions:
      for:
        description:
          - V(address) is ready when it answers for its address, V(ssh) and V(http) when such a server answers.
          - V(agent) is ready when the guest agent in it answers.
          - V(cloud-init) is ready when cloud-init has ended there without errors.
        type: str
        choices: [address, ssh, http, agent, cloud-init]
        required: true
      timeout:
        description: Seconds that it may take.
        type: int
        default: 300
      source:
        description:
          - Address with its length from which the host looks, such as C(10.20.0.253/24). Nobody else may have it.
          - It lies in the network of an O(networks[].address), and is needed unless the agent tells.
        type: str
      port:
        description: Port. Left out, 22 of ssh and 80 of http.
        type: int
      path:
        description: Path, of http. Left out, C(/).
        type: str
      status:
        description: Status that it must answer with, of http. Left out, any below 400.
        type: int
  state:
    description: Whether it runs, is stopped, or is not there. With V(absent), all on its root disk is lost.
    type: str
    choices: [running, stopped, absent]
    default: running
extends_documentation_fragment: [stead.cloud.keeping]
"""

EXAMPLES = r"""
- name: Run a web server
  stead.cloud.instance:
    project: acme
    name: web
    image: debian-12
    memory: 2GiB
    networks:
      - {network: app, mac: "52:54:00:00:00:01"}

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
  description: What the host's ledger said before.
  returned: always
  type: dict
after:
  description: What it says now.
  returned: always
  type: dict
done:
  description: What was done, or would be in check mode.
  returned: always
  type: list
  elements: str
ready:
  description: What it was waited for, and for how many seconds.
  returned: when it was started and O(wait) is given
  type: dict
  sample: {for: ssh on port 22, seconds: 14.2}
"""

import ipaddress
from typing import Any, Dict, Iterator, Mapping, Tuple

from ansible.module_utils.basic import AnsibleModule

from ..module_utils.host.base import ledger
from ..module_utils.host.base.errors import Code, Failed
from ..module_utils.host.run import standalone
from ..module_utils.wire.parts import DEFAULT_STORAGE

NO_HARDWARE = Code("STEAD-E500", "an instance without processor or memory")
NO_TIMEOUT = Code("STEAD-E501", "a wait without time")
BESIDE = Code("STEAD-E502", "a field of another kind of wait")
NO_NETWORK = Code("STEAD-E503", "a wait without a network to look from")
BAD_SOURCE = Code("STEAD-E504", "not an address to look from")
NO_VOLUME = Code("STEAD-E505", "a volume is not on the host")

NIC = {
    "network": {"type": "str", "required": True},
    "mac": {"type": "str", "required": True},
    "address": {"type": "str"},
    "mtu": {"type": "int", "default": 1450},
}
WAIT = {
    "for": {"type": "str", "choices": ["address", "ssh", "http", "agent", "cloud-init"], "required": True},
    "timeout": {"type": "int", "default": 300},
    "source": {"type": "str"},
    "port": {"type": "int"},
    "path": {"type": "str"},
    "status": {"type": "int"},
}
PORTS = {"ssh": 22, "http": 80}
BY_AGENT = ("agent", "cloud-init")
MACHINES = {"x86_64": "q35", "ppc64le": "pseries", "s390x": "s390-ccw-virtio"}
POOL = {"name": "default", "type": DEFAULT_STORAGE}


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            "name": {"type": "str", "required": True},
            "project": {"type": "str", "required": True},
            "image": {"type": "str"},
            "vcpus": {"type": "int", "default": 1},
            "memory": {"type": "str", "default": "1GiB"},
            "disk": {"type": "str", "default": "10GiB"},
            "networks": {"type": "list", "elements": "dict", "default": [], "options": NIC},
            "volumes": {"type": "list", "elements": "str"},
            "hypervisor": {"type": "str", "choices": ["kvm", "qemu"], "default": "kvm"},
            "user_data": {"type": "str", "default": ""},
            "keys": {"type": "list", "elements": "str", "default": [], "no_log": False},
            "stop_timeout": {"type": "int", "default": 60},
            "autostart": {"type": "bool", "default": True},
            "restart": {"type": "bool", "default": False},
            "wait": {"type": "dict", "options": WAIT},
            "state": {"type": "str", "choices": ["running", "stopped", "absent"], "default": "running"},
        },
        required_if=[("state", "running", ("image",)), ("state", "stopped", ("image",))],
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
    # What ready means is nothing that a start brings about.
    restarts = given["restart"] and made is not None and dict(made["want"], wait=None) != dict(want, wait=None)
    standalone.carry_out(module, address, want, action="reboot" if restarts else None)


def wanted(given: Mapping[str, Any], address: str, check: bool) -> Dict[str, Any]:
    image = standalone.address_of("", "images", given["image"])
    memory, kvm = standalone.size(given["memory"]), given["hypervisor"] == "kvm"
    if not memory or given["vcpus"] < 1:
        raise Failed(NO_HARDWARE, "An instance has a processor and memory. Write vcpus: 1 and memory: 1GiB, say.")
    want = hardware(memory, given["vcpus"])
    want.update(
        {
            "name": "{0}.{1}".format(given["project"], given["name"]),
            "uuid": standalone.uuid_of(address),
            "hostname": given["name"],
            "hypervisor": given["hypervisor"],
            "cpu": "host-model" if kvm else "maximum",
            "image": {"address": image, "uuid": standalone.uuid_of(image)},
            "root": {"bus": "virtio", "format": "qcow2", "pool": POOL, "size": standalone.size(given["disk"])},
            "seed": {"keys": given["keys"], "on_change": "keep", "user_data": given["user_data"]},
            "stop_timeout": given["stop_timeout"],
            "autostart": given["autostart"],
            "state": given["state"],
            "volumes": attached(address) if given["volumes"] is None else dict(volumes(given, check)),
        }
    )
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
        raise Failed(NO_TIMEOUT, "A timeout of nothing fails every start. Write timeout: 300, say, or leave wait out.")
    beside = {"port": tuple(PORTS), "path": ("http",), "status": ("http",)}
    for name, those in beside.items():
        if given[name] is not None and what not in those:
            raise Failed(
                BESIDE, "{0} is of {1}, and this waits for {2}. Drop it.".format(name, " and ".join(those), what)
            )
    found = {"for": what, "timeout": given["timeout"]}
    if what in PORTS:
        found["port"] = given["port"] or PORTS[what]
    if what == "http":
        found["path"] = given["path"] or "/"
        found.update({"status": given["status"]} if given["status"] is not None else {})
    if what not in BY_AGENT:
        found.update(looked_at(given, want))
    return found


def looked_at(given: Mapping[str, Any], want: Dict[str, Any]) -> Dict[str, Any]:
    """The interface that is looked at, and where its host looks from."""
    if not given["source"]:
        text = "{0} is seen through the network. Write source: a free address of it with its length, to look from."
        raise Failed(NO_NETWORK, text.format(given["for"]))
    source = ipaddress.ip_interface(given["source"])
    for key, port in want["ports"].items():
        addresses = [ipaddress.ip_address(one) for one in port["addresses"]]
        if source.ip in addresses:
            raise Failed(
                BAD_SOURCE,
                "{0} is the instance's own address. Write source: another one, to look from.".format(source.ip),
            )
        if any(one in source.network for one in addresses):
            mac = standalone.mac_of("{0} {1}".format(want["nics"][key]["network_uuid"], source.ip))
            return {"from": {"address": str(source), "mac": mac}, "nic": key}
    text = "No interface has an address in {0}, to be looked at. Write address: in networks."
    raise Failed(BAD_SOURCE, text.format(source.network))


def hardware(memory: object, vcpus: object) -> Dict[str, Any]:
    import platform

    architecture = platform.machine()
    return {
        "architecture": architecture,
        "machine": MACHINES.get(architecture, "virt"),
        "agent": True,
        "boot": ["disk"],
        "firmware": "bios" if architecture == "x86_64" else "uefi",
        "graphics": "none",
        "tpm": False,
        "watchdog": "none",
        "memory": memory,
        "max_memory": memory,
        "vcpus": vcpus,
        "max_vcpus": vcpus,
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
        "filtered": False,
        "groups": [],
        "model": "virtio",
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
                NO_VOLUME, "Volume {0} is not on this host. Keep it there with stead.cloud.volume first.".format(name)
            )
        there = made["want"] if made else {"format": "qcow2", "pool": POOL, "shareable": False, "uuid": identity}
        attached = {name: there[name] for name in ("format", "pool", "shareable", "uuid")}
        yield address, dict(attached, bus="virtio", device="vd" + letter, mode="rw")


if __name__ == "__main__":
    main()
