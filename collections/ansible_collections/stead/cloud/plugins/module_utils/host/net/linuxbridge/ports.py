"""Interfaces of guests: what plugs one into its network, and what filters it."""

from __future__ import annotations

import os

from ..driver import Plug
from . import antispoof, filters, naming, networks, security_groups


def plug(nic, port, work):
    """The host's end is named after the MAC, so that it is the same after a reboot, and on another host."""
    passes = filters.port_name(port["mac"]) if nic["filtered"] else ""
    return Plug(networks.bridge_for(nic["network_uuid"], work), naming.tap_name(port["mac"]), passes)


def ensure(nic, port, work):
    """A group of which nothing is known yet lets nothing through."""
    for group in nic["groups"]:
        if not os.path.exists(security_groups.path_of(filters.group_name(group))):
            security_groups.define(filters.group_name(group), filters.group(group, [], True), work)
    missing = antispoof.ensure(nic, port, work)
    security_groups.define(filters.port_name(port["mac"]), filters.port(nic, port), work)
    if missing:
        _bind_again(port["mac"], work)


def remove(mac, work):
    security_groups.undefine(filters.port_name(mac), work)
    antispoof.remove(mac, work)


def restore(mac, work):
    """At a boot no guest runs yet, and libvirt, which waits for this, is not asked."""
    if antispoof.restore(mac, work) and naming.tap_name(mac) in work.now.links():
        _bind_again(mac, work)


def _bind_again(mac, work):
    """Whoever empties the host's tables empties them of libvirt's rules too, and libvirt does not look."""
    import libvirt

    try:
        binding = work.connection.nwfilterBindingLookupByPortDev(naming.tap_name(mac))
    except libvirt.libvirtError as error:
        if error.get_error_code() == libvirt.VIR_ERR_NO_NWFILTER_BINDING:  # its guest does not run
            return
        raise
    text = binding.XMLDesc()
    work.act("filter {0} again".format(naming.tap_name(mac)), _bind, binding, work.connection, text)


def _bind(binding, connection, text):
    binding.delete()
    connection.nwfilterBindingCreateXML(text)
