"""Interfaces of guests: libvirt puts each into the host's switch, under the name by which OVN knows it.

What may pass, OVN is told by the network and its groups. A port that OVN does not know gets and sends nothing.
"""

from __future__ import annotations

from ...base.work import Work
from ..driver import Nic, Plug, Port
from . import naming, vswitch


def plug(nic: Nic, port: Port, _work: Work) -> Plug:
    name = naming.port_name(nic["network_uuid"], port["mac"])
    virtualport = ("openvswitch", {"interfaceid": name})
    return Plug(naming.BRIDGE, naming.tap_name(port["mac"]), virtualport=virtualport, offload=vswitch.in_kernel())


def ensure(_nic: Nic, _port: Port, _work: Work) -> None:
    """Nothing on its host filters it."""


def remove(mac: str, work: Work) -> None:
    """One that its guest left behind when it was killed: a switch remembers its ports."""
    vswitch.remove_port(naming.tap_name(mac), work)


def restore(_mac: str, _work: Work) -> None:
    """It comes with its guest."""
