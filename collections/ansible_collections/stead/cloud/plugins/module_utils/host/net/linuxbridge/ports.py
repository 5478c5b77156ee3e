"""Interfaces of guests: what plugs one into its network, and what filters it."""

from __future__ import annotations

import os
from typing import Any

from ...base import libvirt_client
from ...base.work import Work
from ..driver import Nic, Plug, Port
from . import antispoof, filters, naming, networks, security_groups


def plug(nic: Nic, port: Port, work: Work) -> Plug:
    """The host's end is named after the MAC, so that it is the same after a reboot, and on another host."""
    passes = filters.port_name(port["mac"]) if nic["filtered"] else ""
    return Plug(networks.bridge_for(nic["network_uuid"], work), naming.tap_name(port["mac"]), passes)


def ensure(nic: Nic, port: Port, work: Work) -> None:
    """A group of which nothing is known yet lets nothing through."""
    for group in nic["groups"]:
        if not os.path.exists(security_groups.path_of(filters.group_name(group))):
            security_groups.define(filters.group_name(group), filters.group(group, [], True), work)
    missing = antispoof.ensure(nic, port, work)
    security_groups.define(filters.port_name(port["mac"]), filters.port(nic, port), work)
    if missing:
        _bind_again(port["mac"], work)


def remove(mac: str, work: Work) -> None:
    security_groups.undefine(filters.port_name(mac), work)
    antispoof.remove(mac, work)


def restore(mac: str, work: Work) -> None:
    """At a boot no guest runs yet, and libvirt, which waits for this, is not asked."""
    if antispoof.restore(mac, work) and naming.tap_name(mac) in work.now.links():
        _bind_again(mac, work)


def _bind_again(mac: str, work: Work) -> None:
    """Whoever empties the host's tables empties them of libvirt's rules too, and libvirt does not look."""
    import libvirt

    libvirtd = libvirt_client.connection(work.sessions)
    try:
        binding = libvirtd.nwfilterBindingLookupByPortDev(naming.tap_name(mac))
    except libvirt.libvirtError as error:
        if error.get_error_code() == libvirt.VIR_ERR_NO_NWFILTER_BINDING:  # its guest does not run
            return
        raise
    text = binding.XMLDesc()
    work.act("filter {0} again".format(naming.tap_name(mac)), _bind, binding, libvirtd, text)


def _bind(binding: Any, connection: Any, text: str) -> None:
    binding.delete()
    connection.nwfilterBindingCreateXML(text)
