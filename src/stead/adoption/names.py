"""What things of a host are called in the spec and in the inventory, and what the inventory does not name yet."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import PurePosixPath

from stead.adoption.strangers import StrangeNetwork, StrangeNic, Stranger, Strangers
from stead.core.observed import Host
from stead.heat.references import slug

POOLS, PHYSICAL = "stead_pools", "stead_physical_networks"


class SpecNames:
    def __init__(self, strangers: Strangers, hosts: Mapping[str, Host]) -> None:
        self._hosts = hosts
        self._made_on: dict[str, set[str]] = {}  # libvirt's network -> hosts that each have one of their own
        for host, name in strangers.networks:
            self._made_on.setdefault(name, set()).add(host)
        self.lacking: dict[tuple[str, str, str], str] = {}  # (host, variable, name) -> what it is to say

    def instance(self, one: Stranger) -> str:
        return slug(one.name, "instances")[:55].strip("-")

    def network(self, host: str, nic: StrangeNic, net: StrangeNetwork) -> str:
        """Bridges of one name are taken for one network; what libvirt makes is each host's own."""
        bridge = nic.bridge or net.bridge
        known = self._hosts[host].physical_networks if host in self._hosts else {}
        named = next((name for name, device in sorted(known.items()) if device == bridge), "")
        if named:
            return named
        several = len(self._made_on.get(nic.network, ())) > 1
        name = slug(f"{nic.network}-{host}" if several else nic.network or bridge, "networks")
        self.lacking[host, PHYSICAL, name] = bridge
        return name

    def pool(self, host: str, folder: str, room: int) -> str:
        known = self._hosts[host].pools if host in self._hosts else {}
        own = (name for name, pool in sorted(known.items()) if str(PurePosixPath(pool.path)) == folder)
        named = next((name for name in own if not known[name].shared), "")
        if named:
            return named
        name = slug(PurePosixPath(folder).name, "pools")
        taken = {key[2]: text for key, text in self.lacking.items() if key[:2] == (host, POOLS)}
        text = f"{{path: {folder}, size: {max(room >> 30, 1) if room else '…'}GiB}}"
        while name in known or taken.get(name, text) != text:
            name = f"{name}-x"
        self.lacking[host, POOLS, name] = text
        return name
