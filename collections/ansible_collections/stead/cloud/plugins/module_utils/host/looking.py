"""Tables of this host that many questions share: links, forwarding entries, units, domains. Each is read once.

One connection to libvirt, and its bulk calls wherever it has them: a host with a hundred domains is asked in a moment.
"""

from __future__ import annotations

import json
from xml.etree import ElementTree as Xml

from . import guards, links, running, targets, zones
from .failing import Failed
from .hypervisor import Libvirt


class Look:
    def __init__(self, host):
        self.host = host  # the inventory's name of this host
        self.trouble = []  # what could not be read, and why
        self.blind = ""  # why nothing can be said of instances
        self._libvirt = Libvirt()
        self._read = {}

    def _once(self, name, read, otherwise):
        if name not in self._read:
            try:
                self._read[name] = read()
            except Failed as error:
                self.trouble.append(str(error))
                self._read[name] = otherwise
        return self._read[name]

    @property
    def links(self):
        """name -> link with details and addresses, as links.table() has it without the addresses."""
        return self._once("links", _links, {})

    @property
    def forwarding(self):
        """device -> {(MAC, where it leads)}"""
        return self._once("forwarding", _forwarding, {})

    @property
    def units(self):
        """name -> whether it is active, of Stead's own units."""
        return self._once("units", _units, {})

    @property
    def namespaces(self):
        return self._once("namespaces", links.namespaces, set())

    @property
    def domains(self):
        """UUID -> Domain; nothing, and trouble, where libvirt should answer and does not."""
        return self._once("domains", self._domains, {})

    def _domains(self):
        try:
            return _domains(self._libvirt.get())
        except Failed as error:
            self.blind = str(error)
            raise

    @property
    def targets(self):
        """name -> iSCSI target that is served here."""
        return self._once("targets", targets.table, {})

    @property
    def guarded(self):
        """Names of interfaces that claim to be nobody else; nothing where that cannot be seen."""
        return self._once("guarded", guards.known, None)

    @property
    def apart(self):
        """Bridges whose connections are their own, and which the host itself is out of."""
        return self._once("apart", zones.known, None)

    @property
    def sets(self):
        """name -> addresses, sorted, of the kernel's sets."""
        return self._once("sets", _sets, None)

    @property
    def filters(self):
        """Names of libvirt's network filters; nothing where it does not answer."""
        return self._once("filters", lambda: {one.name() for one in self._libvirt.get().listAllNWFilters()}, None)

    @property
    def versions(self):
        return self._once("versions", lambda: _versions(self._libvirt.get()), {})

    def close(self):
        self._libvirt.close()


class Domain:
    """Definition and, of a running one, what runs; both as XML."""

    def __init__(self, name, state, autostart, defined, live):
        self.name = name
        self.state = state
        self.autostart = autostart
        self.defined = defined
        self.live = live if live is not None else defined

    @property
    def is_on(self):
        return self.state in ("running", "paused")


def _links():
    found = json.loads(running.run(["ip", "-json", "-details", "address", "show"]) or "[]")
    return {one["ifname"]: one for one in found if "ifname" in one}


def _forwarding():
    status, out, _said = running.attempt(["bridge", "-json", "fdb", "show"])
    found = {}
    for one in json.loads(out or "[]") if status == 0 else []:
        if "dst" in one:
            found.setdefault(one.get("ifname"), set()).add((one["mac"], one["dst"]))
    return found


def _units():
    words = ["systemctl", "list-units", "--all", "--plain", "--no-legend", "--no-pager", "stead-*"]
    lines = [line.split() for line in running.run(words).splitlines()]
    return {line[0]: line[2] == "active" for line in lines if len(line) > 2}


def _sets():
    found = {}
    for words in (line.split() for line in running.run(["ipset", "save"]).splitlines()):
        if words[0] == "create":
            found[words[1]] = []
        elif words[0] == "add":
            found[words[1]].append(words[2])
    return {name: sorted(members) for name, members in found.items()}


def _versions(connection):
    def spoken(number):
        return "{0}.{1}.{2}".format(number // 1000000, number // 1000 % 1000, number % 1000)

    return {"libvirt": spoken(connection.getLibVersion()), "qemu": spoken(connection.getVersion())}


def _domains(connection):
    import libvirt

    # VIR_DOMAIN_STATS_STATE alone, without waiting: a guest that hangs must not hold up the others.
    waiting = libvirt.VIR_CONNECT_GET_ALL_DOMAINS_STATS_NOWAIT
    auto = {one.UUIDString() for one in connection.listAllDomains(libvirt.VIR_CONNECT_LIST_DOMAINS_AUTOSTART)}
    names = {
        libvirt.VIR_DOMAIN_RUNNING: "running",
        libvirt.VIR_DOMAIN_BLOCKED: "running",
        libvirt.VIR_DOMAIN_PAUSED: "paused",
        libvirt.VIR_DOMAIN_PMSUSPENDED: "paused",
        libvirt.VIR_DOMAIN_SHUTDOWN: "running",
        libvirt.VIR_DOMAIN_CRASHED: "crashed",
    }
    found = {}
    for domain, stats in connection.getAllDomainStats(libvirt.VIR_DOMAIN_STATS_STATE, waiting):
        state = names.get(stats.get("state.state"), "stopped")
        try:
            defined = Xml.fromstring(domain.XMLDesc(libvirt.VIR_DOMAIN_XML_INACTIVE))
            live = Xml.fromstring(domain.XMLDesc(0)) if state in ("running", "paused") else None
        except libvirt.libvirtError as error:
            if error.get_error_code() == libvirt.VIR_ERR_NO_DOMAIN:  # it went away meanwhile
                continue
            raise
        uuid = domain.UUIDString()
        found[uuid] = Domain(domain.name(), state, uuid in auto, defined, live)
    return found
