"""Runs on a compute host of a lab: defines, or removes, as many domains as it is told, as applying them would have."""

import sys

sys.path.insert(0, "/usr/lib/stead")
from ansible_collections.stead.cloud.plugins.module_utils.host.base import ledger
from ansible_collections.stead.cloud.plugins.module_utils.host.base.libvirt_client import Libvirt, find
from ansible_collections.stead.cloud.plugins.module_utils.host.hypervisor.domains import definition
from ansible_collections.stead.cloud.plugins.module_utils.host.net.driver import Plug

POOL = {"name": "default", "type": "dir", "path": "/var/lib/stead/pools/default"}


def want(number):
    uuid = f"44444444-0000-4000-8000-{number:012x}"
    mac = "52:54:00:bb:{:02x}:{:02x}".format(*divmod(number, 256))
    network = "44444444-0000-4000-8000-ffffffffffff"
    return {
        "agent": True,
        "architecture": "x86_64",
        "autostart": True,
        "boot": ["disk"],
        "cpu": "maximum",
        "firmware": "bios",
        "graphics": "vnc",
        "hostname": f"many-{number}",
        "hypervisor": "qemu",
        "machine": "q35",
        "max_memory": 160 << 20,
        "max_vcpus": 2,
        "memory": 160 << 20,
        "name": f"bench.many-{number}",
        "nics": {
            "app": {
                "filtered": False,
                "model": "virtio",
                "mtu": 1450,
                "network_uuid": network,
                "network": "bench/networks/app",
                "position": 0,
                "routed": True,
                "subnets": [],
            }
        },
        "ports": {"app": {"addresses": ["10.9.0.4"], "mac": mac}},
        "root": {"bus": "virtio", "format": "qcow2", "pool": POOL, "size": 1 << 30},
        "seed": {"user_data": "#cloud-config\n" + "# of a usual length\n" * 40, "keys": []},
        "state": "stopped",
        "stop_timeout": 60,
        "tpm": False,
        "uuid": uuid,
        "vcpus": 1,
        "volumes": {},
        "watchdog": "none",
    }


def main(action, count):
    libvirt = Libvirt()
    for number in range(int(count)):
        one = want(number)
        step = {"want": one, "address": f"bench/instances/many[{number}]", "digest": f"{number:032x}"}
        domain = find(libvirt.get(), one["uuid"])
        if action == "define":
            plugs = {"app": Plug("sb444444440000", f"st44bb{number:08x}")}
            libvirt.get().defineXML(definition.build(step, plugs))
            ledger.keep(ledger.entry(step["address"], one["uuid"], "instances", step["digest"], one))
            continue
        if domain is not None:
            domain.undefine()
        ledger.forget("instances", one["uuid"])
    libvirt.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
