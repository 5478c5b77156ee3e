"""A cloud whose networks are OVN's: what the tests of networks and routers of OVN ask with."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Self

from leftovers import Listing
from networking import Cloud, Said, StandIn

from ansible_collections.stead.cloud.plugins.module_utils.host.net.ovn.naming import port_name
from stead.core.address import parse

VARIABLES = {
    "stead_network_drivers": {"ovn": "network-1"},
    "ovn_tunnel_device": "eth1",
    "ovn_tunnel_address": "198.51.100.{{ stead_underlay_address.split('.')[3] }}/24",
}


@dataclass
class OvnCloud(Cloud):
    """Each host reaches its own guests, from the place that it has in their network."""

    before: Listing = field(default_factory=dict)

    def sh(self, resource: str, script: str, network: str = "app") -> Said:
        address, record = parse(resource), self.record(resource)
        assert address is not None
        words = [
            "ip",
            "netns",
            "exec",
            self.place(address.project, network),
            "curl",
            "-sS",
            "-m",
            "60",
            "--data-binary",
            script,
        ]
        out = self.lab.run(record.host, [*words, f"http://{self.address(resource)}/cgi-bin/sh"])
        text, _word, status = out.rpartition("status ")
        return Said(int(status), text)

    def place(self, project: str, network: str = "app") -> str:
        return f"stead-network-{self.record(f'{project}/networks/{network}').leases['uuid']}"

    def heard_by(self, resource: str, what: str, act: Callable[[], Any]) -> list[str]:
        return self.heard(self.record(resource).host, (), tap_of(self.mac(resource)), what, act)

    def northbound(self, *words: str) -> str:
        return self.lab.run("network-1", ["ovn-nbctl", *words])

    def vswitch(self, host: str, *words: str) -> str:
        return self.lab.run(host, ["ovs-vsctl", *words])


def tap_of(mac: str) -> str:
    return "so" + mac.replace(":", "")


class InSwitch(StandIn):
    """In the place of an instance that is off: its port is OVN's, under the name that libvirt would give it."""

    def __enter__(self) -> Self:
        run, uuid = self.cloud.lab.run, self.cloud.record("acme/networks/app").leases["uuid"]
        self.tap = tap_of(self.mac)
        run(self.host, ["ip", "netns", "add", "standin"])
        words = ["ip", "link", "add", self.tap, "up", "type", "veth", "peer", "name", "eth0", "address", self.mac]
        run(self.host, [*words, "netns", "standin"])
        for line in ("link set lo up", "link set eth0 up"):
            run(self.host, ["ip", "-netns", "standin", *line.split()])
        known = f"external-ids:iface-id={port_name(uuid, self.mac)}"
        run(self.host, ["ovs-vsctl", "add-port", "br-int", self.tap, "--", "set", "interface", self.tap, known])
        return self

    def __exit__(self, *what: object) -> None:
        self.cloud.lab.run(self.host, ["ovs-vsctl", "del-port", self.tap])
        super().__exit__(*what)
