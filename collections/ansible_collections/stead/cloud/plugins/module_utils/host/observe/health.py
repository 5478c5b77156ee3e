"""What `stead doctor` checks in addition to the observation: whether packets reach other hosts, and what blocks them.

It reads and sends pings, and changes nothing.
"""

from __future__ import annotations

import json
import os
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Dict, List, Mapping

from ..base import commands, ledger
from ..base.errors import Failed
from ..prepare import installing
from ..run import booting
from ..storage import drivers
from . import store_members, survey

# What IP and ICMP put before a ping's data.
HEADERS = {4: 28, 6: 48}
AT_ONCE = 16
# What brings a host back after a boot.
AT_BOOT = ("stead-restore.service", "stead-boot.service")


def examine(peers: Mapping[str, str], mtu: int, served: Mapping[str, Dict[str, Any]]) -> Dict[str, Any]:
    with ThreadPoolExecutor(max_workers=AT_ONCE) as pool:
        pings = dict(zip(peers, pool.map(lambda at: _reaches(at, mtu), peers.values())))
    return {
        "peers": pings,
        "served": drivers.silent(served),
        "without_secret": drivers.without_secret(made["want"] for made in ledger.everything("volumes")),
        "speechless": drivers.speechless({one["type"] for one in served.values()}),
        "clock": survey.clock(),
        "store": store_members.told(),
        "synchronised": _synchronised(),
        "container": survey.container(),
        "failed_units": _failed(),
        "disabled": [unit for unit in AT_BOOT if not _enabled(unit)],
        "outdated": installing.outdated(),
        "witnesses": {name: words is not None for name, words in booting.asked(booting.others()).items()},
        "dropping": _dropping("input"),
        "bridge_filter": _bridge_filter() and bool(_dropping("forward")),
        "uplinks_dropped": _uplinks_dropped(),
    }


def _reaches(address: str, mtu: int) -> str:
    """Empty when a packet of the full size arrives unbroken; else whether none does, or only smaller ones."""
    version = 6 if ":" in address else 4
    size = str(mtu - HEADERS[version])
    words = ["ping", "-{0}".format(version), "-n", "-q", "-c", "2", "-i", "0.2", "-W", "1"]
    try:
        if commands.attempt(words + ["-M", "do", "-s", size, address], timeout=10)[0] == 0:
            return ""
        if commands.attempt(words + [address], timeout=10)[0] == 0:
            return "size"
    except Failed as error:
        return str(error)
    return "silent"


def _synchronised() -> bool:
    words = ["timedatectl", "show", "--property=NTPSynchronized", "--value"]
    return commands.attempt(words)[1].strip() == "yes"


def _failed() -> List[str]:
    words = ["systemctl", "list-units", "--failed", "--plain", "--no-legend", "--no-pager"]
    names = [line.split()[0] for line in commands.attempt(words)[1].splitlines() if line.strip()]
    ours = ("stead-", "libvirt", "virt", "patroni", "etcd", *drivers.units())
    return [name for name in names if name.startswith(ours)]


def _enabled(unit: str) -> bool:
    return commands.attempt(["systemctl", "is-enabled", unit])[1].strip() == "enabled"


def _dropping(hook: str) -> List[str]:
    """Chains of other tables than Stead's whose policy is to drop."""
    try:
        status, out, _said = commands.attempt(["nft", "--json", "list", "chains"])
    except Failed:
        return []
    chains = (
        [one["chain"] for one in json.loads(out or "{}").get("nftables", []) if "chain" in one] if status == 0 else []
    )
    return [
        "{family} {table} {name}".format(**one)
        for one in chains
        if one.get("policy") == "drop" and one.get("hook") == hook and not one["table"].startswith("stead")
    ]


def _uplinks_dropped() -> List[str]:
    """Chains that drop what routers behind this host send and get: those that name none of their cables."""
    if not any("uplink" in made["want"] for made in ledger.everything("routers")):
        return []
    listings = (
        (chain, commands.attempt(["nft", "list", "chain", *chain.split()])[1]) for chain in _dropping("forward")
    )
    return [chain for chain, text in listings if '"su' not in text]


def _bridge_filter() -> bool:
    """Whether the host's iptables see what passes a bridge: guests' packets are then dropped by rules for the host."""
    path = "/proc/sys/net/bridge/bridge-nf-call-iptables"
    if not os.path.exists(path):
        return False
    with open(path, encoding="ascii") as file:
        return file.read().strip() == "1"
