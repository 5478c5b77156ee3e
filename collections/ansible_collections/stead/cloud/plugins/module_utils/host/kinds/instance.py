"""Instances: libvirt domains, from nothing to answering and back.

It does what the step's action says and judges nothing: whether a change needs a reboot or a new disk was planned.
"""

from __future__ import annotations

from xml.etree import ElementTree as Xml

from ...wire import instance as wire
from ..base import ledger
from ..base.errors import Failed
from ..hypervisor.domains import connection, definition, live, power, readback
from ..images import image_files
from ..net import ports
from ..run import waiting
from ..storage import instance_disks

RESTARTS = ("reboot", "rebuild", "replace")
NEW_DISK = ("rebuild", "replace")


def ensure(step, work):
    want, action = step["want"], step["action"]
    domain = connection.find(work.connection, want["uuid"])
    _refuse_namesake(want, work)
    was_on = domain is not None and bool(domain.isActive())
    if domain is not None and action in RESTARTS:
        power.stop(domain, want["stop_timeout"], work)
    if action in NEW_DISK:
        instance_disks.remove_root(_recorded(step), work)
    instance_disks.ensure(want, work)
    instance_disks.grow_root(want, domain, work)
    guarded = [
        (waiting.let_in(nic, key, want), want["ports"][key])
        for key, nic in sorted(want["nics"].items())
        if nic["filtered"]
    ]
    for nic, port in guarded:
        ports.ensure(nic, port, work)
    defined = _define(step, domain, work)
    if defined is None:  # check mode, and it is not there
        work.done += ["start {0}".format(want["name"])] if want["state"] == "running" else []
        return
    if was_on and action not in RESTARTS:
        live.adjust(defined, want, step, ports.plugs(want, work), work)
    instance_disks.let_go(_recorded(step), want, work)
    _unplugged(_recorded(step), want, work)
    _autostart(defined, want, work)
    if want["state"] == "running":
        power.start(defined, work)
    else:
        power.stop(defined, want["stop_timeout"], work)
    if action in NEW_DISK or "cdrom" in want:
        image_files.tidy(work)  # what it stood on before may be nobody's now


def remove(step, work):
    # One that the ledger lost left things where they usually are.
    want = step.get("have") or {"uuid": step["uuid"], "root": {"pool": {"name": "default"}, "size": 1}}
    domain = connection.find(work.connection, step["uuid"])
    if domain is not None:
        power.stop(domain, want.get("stop_timeout", 60), work)
        work.act("undefine {0}".format(domain.name()), _undefine, domain)
    ports.remove(want, work)
    instance_disks.remove(want, work)
    image_files.tidy(work)


def restore(step, work):
    """libvirt keeps filters; what guards interfaces is the kernel's, and is gone. What has to run is started here, and
    never by libvirt: it would start what runs elsewhere by now."""
    want = step["want"]
    ports.restore(want, work)
    if step["start"] and not step["held"] and want["state"] == "running" and want["autostart"]:
        domain = connection.find(work.connection, want["uuid"])
        if domain is None:
            raise Failed("libvirt does not know it any more. `stead apply` makes it again.")
        power.start(domain, work)


def seen(step, look):
    want = step["want"]
    domain = look.domains.get(want["uuid"])
    if domain is None:
        return {} if look.blind else None
    found = readback.fields(domain, want)
    for key, nic in found.get("nics", {}).items():
        if nic.get("filtered") and look.differing(_guard(waiting.let_in(nic, key, want), want["ports"][key]), step):
            nic["filtered"] = False  # it may claim to be anybody, or be reached by everybody
    # The one function that compares says what matters of it.
    differing = {path.split(".")[0] for path, _wanted, _there in wire.compare(want, dict(want, **found))}
    return {name: value for name, value in found.items() if name in differing}


def _guard(nic, port):
    return lambda _step, work: ports.ensure(nic, port, work)


def _recorded(step):
    """What is there, as this host knows it: its files lie where that says."""
    made = ledger.read("instances", step["uuid"])
    return made["want"] if made is not None else step.get("have") or step["want"]


def _unplugged(before, want, work):
    """What guarded interfaces that it has no more."""
    kept = {port["mac"] for port in want["ports"].values()}
    ports.remove(before, work, kept)


def _refuse_namesake(want, work):
    """One of Stead's that was renamed in the spec is called as before for as long as it runs: that is no reason."""
    other = connection.find_name(work.connection, want["name"])
    if other is None or other.UUIDString() == want["uuid"] or digest_of(other):
        return
    text = "Another domain on this host, {0}, is named {1}. Stead does not touch it: rename it, or the instance."
    raise Failed(text.format(other.UUIDString(), want["name"]))


def _define(step, domain, work):
    if domain is not None and step["action"] == "create" and digest_of(domain) == step["digest"]:
        return domain
    text = definition.build(_as_called(step, domain, work), ports.plugs(step["want"], work))
    if domain is not None and not work.check:
        before = domain.XMLDesc(_inactive())
        after = work.connection.defineXML(text)
        if after.XMLDesc(_inactive()) != before:
            work.done.append("define {0}".format(step["want"]["name"]))
        return after
    made = work.act("define {0}".format(step["want"]["name"]), work.connection.defineXML, text)
    return made if made is not None else domain


def _as_called(step, domain, work):
    """libvirt gives another name only to a domain that is off; one that runs, and whoever has the name, keep theirs."""
    want = step["want"]
    name, taken = want["name"], connection.find_name(work.connection, want["name"]) is not None
    if domain is None:
        name += "-" + want["uuid"][:8] if taken else ""
    elif domain.name() != name and (taken or domain.isActive()):
        name = domain.name()
    elif domain.name() != name:
        work.act("rename {0} to {1}".format(domain.name(), name), domain.rename, name)
    return dict(step, want=dict(want, name=name))


def digest_of(domain):
    """Of the want that its definition was made from, as it says itself."""
    label = Xml.fromstring(domain.XMLDesc(_inactive())).find("metadata/{%s}instance" % definition.NAMESPACE)
    return "" if label is None else label.get("digest", "")


def _inactive():
    import libvirt

    return libvirt.VIR_DOMAIN_XML_INACTIVE | libvirt.VIR_DOMAIN_XML_SECURE


def _autostart(domain, want, work):
    wanted = power.is_libvirts(want)
    if bool(domain.autostart()) != wanted:
        work.act("set autostart {0}".format("on" if wanted else "off"), domain.setAutostart, int(wanted))


def _undefine(domain):
    import libvirt

    domain.undefineFlags(
        libvirt.VIR_DOMAIN_UNDEFINE_MANAGED_SAVE
        | libvirt.VIR_DOMAIN_UNDEFINE_SNAPSHOTS_METADATA
        | libvirt.VIR_DOMAIN_UNDEFINE_CHECKPOINTS_METADATA
        | libvirt.VIR_DOMAIN_UNDEFINE_NVRAM
    )
