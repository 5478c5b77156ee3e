"""Security groups on a host, and the filters of interfaces. What they let through is planned; here it is done."""

from __future__ import annotations

import os
import threading

from ..base import ledger, paths
from ..net import antispoof, filters, links, rules

FILTERS = paths.ROOT + "/filters"
_defining = threading.Lock()


def ensure(step, work):
    ensure_group(step["want"], work)


def ensure_group(want, work):
    for other, addresses in sorted(want["sets"].items()):
        _set(other, addresses, work)
    group, stateful = want["name"], want.get("stateful", True)
    with work.part("filter"):
        _define(filters.group_name(group), filters.group(group, want["rules"], stateful), work)


def seen(step, look):
    if look.now.filter(filters.group_name(step["want"]["name"])) is None:
        return None
    return look.differing(ensure, step)


def remove(step, work):
    if step.get("have"):
        remove_group(step["have"], work)


def remove_group(want, work):
    undefine(filters.group_name(want["name"]), work)
    for other in want["sets"]:
        if not _users(other, want["name"]):
            _drop_sets(other, work)


def ensure_port(nic, own, work):
    """A group of which nothing is known yet lets nothing through."""
    for group in nic["groups"]:
        if not os.path.exists(_path(filters.group_name(group))):
            _define(filters.group_name(group), filters.group(group, [], True), work)
    missing = antispoof.ensure(nic, own, work)
    _define(filters.port_name(own["mac"]), filters.port(nic, own), work)
    if missing:
        _bind_again(own["mac"], work)


def remove_port(mac, work):
    undefine(filters.port_name(mac), work)
    antispoof.remove(mac, work)


def restore_port(mac, work):
    """At a boot no guest runs yet, and libvirt, which waits for this, is not asked."""
    if antispoof.restore(mac, work) and links.tap_name(mac) in work.now.links():
        _bind_again(mac, work)


def _bind_again(mac, work):
    """Whoever empties the host's tables empties them of libvirt's rules too, and libvirt does not look."""
    import libvirt

    try:
        binding = work.connection.nwfilterBindingLookupByPortDev(links.tap_name(mac))
    except libvirt.libvirtError as error:
        if error.get_error_code() == libvirt.VIR_ERR_NO_NWFILTER_BINDING:  # its guest does not run
            return
        raise
    text = binding.XMLDesc()
    work.act("filter {0} again".format(links.tap_name(mac)), _bind, binding, work.connection, text)


def _bind(binding, connection, text):
    binding.delete()
    connection.nwfilterBindingCreateXML(text)


def restore(step, work):
    """libvirt keeps its filters over a reboot; the sets that they name are the kernel's, which does not."""
    for other, addresses in sorted(step["want"]["sets"].items()):
        _set(other, addresses, work)


def _path(name):
    return os.path.join(FILTERS, name + ".xml")


def _define(name, text, work):
    """libvirt gives a filter back in words of its own: what it was given, and said then, is kept beside."""
    path = _path(name)
    with _defining:
        there = work.now.filter(name)
        if there is not None and paths.read_bytes(path) == text.encode() and _kept(path, there, work):
            return
        work.act("define filter " + name, work.connection.nwfilterDefineXML, text)
        work.directory(FILTERS)
        if not work.check:
            paths.write(path, text)
            paths.write(path + rules.SEEN, rules.digest([work.now.filter(name)]))


def _kept(path, there, work):
    kept = paths.read_bytes(path + rules.SEEN)
    return kept == rules.digest([there]) if kept is not None else work.check


def undefine(name, work):
    if work.now.filter(name) is not None:
        work.act("undefine filter " + name, work.connection.nwfilterLookupByName(name).undefine)
    if not work.check:
        for path in (_path(name), _path(name) + rules.SEEN):
            paths.remove(path)


def _set(group, addresses, work):
    """Filled beside and exchanged, so that no packet meets half a set."""
    for version, family in ((4, "inet"), (6, "inet6")):
        name = filters.set_name(group, version)
        members = sorted(one for one in addresses if (":" in one) == (version == 6))
        has = work.now.members(name)
        if has == members:
            continue
        new = name + "-n"
        lines = ["create {0} hash:net family {1}".format(one, family) for one in (name, new)]
        lines += ["flush " + new] + ["add {0} {1}".format(new, one) for one in members]
        lines += ["swap {0} {1}".format(new, name), "destroy " + new]
        with work.part("sets", group, sorted(set(has or ()) | (set(addresses) - set(members)))):
            work.run(["ipset", "-exist", "restore"], feed="\n".join(lines) + "\n")


def _drop_sets(group, work):
    for version in (4, 6):
        name = filters.set_name(group, version)
        if work.now.members(name) is not None:
            work.run(["ipset", "destroy", name])


def _users(other, group):
    """Other groups on this host whose rules name it."""
    wants = [one["want"] for one in ledger.everything("security_groups")]
    wants += [one["want"]["default_group"] for one in ledger.everything("projects") if "default_group" in one["want"]]
    return [one["name"] for one in wants if one["name"] != group and other in one.get("sets", {})]
