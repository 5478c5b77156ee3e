"""What this host's kernel can do, found out by trying it in a temporary network namespace.

It loads no module itself: modules that `ip` or `nft` make the kernel load would also be loaded when Stead needs them.
"""

from __future__ import annotations

import os
from typing import Dict, List, Optional, Sequence, Set, Tuple

from ..base import commands
from ..base.errors import Failed

# What a link is made of in the trial. Each in a fresh namespace, so names and numbers cannot clash.
LINKS = {
    "bridge": ["type", "bridge"],
    "vxlan": ["type", "vxlan", "id", "1", "dstport", "4789"],
    "geneve": ["type", "geneve", "id", "1", "remote", "192.0.2.1"],
    "veth": ["type", "veth"],
    "vlan": ["link", "lo", "type", "vlan", "id", "2"],
    "vlan-filtering": ["type", "bridge", "vlan_filtering", "1"],
}
# Enough of a rule set to know that the family and what it matches are there.
RULES = {
    "nftables": "table inet t { chain c { type filter hook input priority 0; ct state established accept; }; }",
    "nftables-nat": "table ip t { chain c { type nat hook postrouting priority 100; masquerade; }; }",
    "nftables-bridge": "table bridge t { chain c { type filter hook forward priority 0; ether type ip accept; }; }",
    "bridge-conntrack": "table bridge t { chain c { type filter hook forward priority 0; ct state new accept; }; }",
}
# How libvirt holds an interface to its bandwidth: fair queues for what comes to the guest, a police for what leaves it.
SHAPING = """qdisc add dev lo root handle 1: htb default 1
class add dev lo parent 1: classid 1:1 htb rate 1mbit
qdisc add dev lo parent 1:1 handle 2: sfq perturb 10
qdisc add dev lo ingress
filter add dev lo parent ffff: protocol all u32 match u32 0 0 police rate 1mbit burst 10kb mtu 64kb drop flowid :1
"""
# (file systems, modules, paths): any of them says that it is there.
PARTS: Dict[str, Tuple[Tuple[str, ...], Tuple[str, ...], Tuple[str, ...]]] = {
    "nfs-client": (("nfs", "nfs4"), ("nfs",), ()),
    "nfsd": (("nfsd",), ("nfsd",), ()),
    "iscsi-client": ((), ("iscsi_tcp",), ("/sys/class/iscsi_transport/tcp",)),
    "lio": ((), ("target_core_mod",), ("/sys/kernel/config/target",)),
    "device-mapper": ((), ("dm_mod",), ("/sys/class/misc/device-mapper",)),
    "vhost-net": ((), ("vhost_net",), ("/dev/vhost-net",)),
    "nbd": ((), ("nbd",), ("/sys/block/nbd0",)),
    "tun": ((), ("tun",), ("/dev/net/tun",)),
    "openvswitch": ((), ("openvswitch",), ("/sys/module/openvswitch",)),
}


def abilities() -> List[str]:
    found = {name for name in LINKS if _makes_link(LINKS[name])}
    found |= {name for name, rules in RULES.items() if _takes(rules)}
    found |= {"shaping"} if _succeeds(["unshare", "--net", "tc", "-batch", "-"], SHAPING) else set()
    found |= {name for name in PARTS if has(name)}
    return sorted(found)


def has(name: str) -> bool:
    systems, modules, paths = PARTS[name]
    if any(os.path.exists(path) for path in paths) or set(systems) & _file_systems():
        return True
    return any(_loadable(module) for module in modules)


def _file_systems() -> Set[str]:
    with open("/proc/filesystems", encoding="ascii") as file:
        return {line.split()[-1] for line in file if line.strip()}


def _loadable(module: str) -> bool:
    """Without loading it."""
    return _succeeds(["modprobe", "--dry-run", "--quiet", module])


def _makes_link(words: List[str]) -> bool:
    above = words[:2] if words[0] == "link" else []
    return _succeeds(["unshare", "--net", "ip", "link", "add"] + above + ["name", "trial0"] + words[len(above) :])


def _takes(rules: str) -> bool:
    return _succeeds(["unshare", "--net", "nft", "-f", "-"], rules + "\n")


def _succeeds(words: Sequence[str], feed: Optional[str] = None) -> bool:
    try:
        return commands.attempt(words, feed=feed, timeout=10)[0] == 0
    except Failed:  # the program is not there: the ability is of no use
        return False
