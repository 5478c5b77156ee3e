"""The hosts' half: it looks whether the bridge is there, and says how an interface is plugged into it."""

from __future__ import annotations

from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any

from ansible_collections.stead.cloud.plugins.module_utils.host.base import commands
from ansible_collections.stead.cloud.plugins.module_utils.host.base.errors import Failed, FailureCode
from ansible_collections.stead.cloud.plugins.module_utils.host.net.driver import HostNetworkDriver, Plug

NO_BRIDGE = FailureCode("SITE-E001", "the Open vSwitch bridge is not there")


def ensure(want: Mapping[str, Any], _work: Any) -> None:
    status, _out, _said = commands.attempt(["ovs-vsctl", "br-exists", want["bridge"]])
    if status != 0:
        raise Failed(NO_BRIDGE, "There is no bridge {0}. Make it with `ovs-vsctl add-br`.".format(want["bridge"]))


def plug(nic: Mapping[str, Any], port: Mapping[str, Any], work: Any) -> Plug:
    made = work.now.entry("networks", nic["network_uuid"])
    bridge = made["want"]["bridge"] if made is not None else ""
    return Plug(bridge, "so" + port["mac"].replace(":", ""), virtualport=("openvswitch", {}))


def nothing(*_words: Any) -> None:
    """Of what needs nothing done: the bridge is the site's, and a port comes and goes with its interface."""


DRIVER = HostNetworkDriver(
    name="openvswitch",
    types=("flat",),
    networks=SimpleNamespace(ensure=ensure, remove=nothing, restore=nothing, is_there=lambda _want, _now: True),
    security_groups=None,
    routers=None,
    floating_ips=None,
    ports=SimpleNamespace(plug=plug, ensure=nothing, remove=nothing, restore=nothing),
    lookouts=None,
    inside=None,
    strays=lambda _made, _links: [],
)
