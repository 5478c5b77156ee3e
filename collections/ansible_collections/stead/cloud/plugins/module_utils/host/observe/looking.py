"""Looks at this host: what of it is otherwise than it should be, and what many questions share, which is read once.

One connection to libvirt, and its bulk calls wherever it has them: a host with a hundred domains is asked in a moment.
"""

from __future__ import annotations

from xml.etree import ElementTree as Xml

from ..base.errors import Failed
from ..base.readings import Shared, Unread
from ..base.work import Work
from ..hypervisor.domains.connection import Libvirt

# What is told of something that has no value of its own.
ALTERED = "altered"


class Look:
    def __init__(self, host, lost=()):
        self.host = host  # the inventory's name of this host
        self.trouble = []  # what could not be read, and why
        self.blind = ""  # why nothing can be said of instances
        self._libvirt = Libvirt()
        self._read = {}
        self.reading = ""  # what it is at now
        self.now = Shared(self._libvirt, self.trouble, lost)

    def differing(self, make, step):
        """What `make` would do here, had it to: in words of the want, as far as it has one for it."""
        work = Work(self.host, check=True, libvirt=self._libvirt, now=self.now)
        try:
            make(step, work)
        except Unread:  # it was told
            return {}
        except Failed as error:  # what is missing, it could not even make
            self.trouble.append("{0}: {1}".format(step.get("address", ""), error))
        if work.done and not work.parts:
            work.differs("parts")
        return _told(step["want"], work.parts)

    def otherwise(self, read, value):
        """What cannot be read is told, and nothing of it is said."""
        try:
            return read()
        except Unread:
            return value

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
    def versions(self):
        return self._once("versions", lambda: _versions(self._libvirt.get()), {})

    def _once(self, name, read, otherwise):
        if name not in self._read:
            self.reading = "libvirt"
            try:
                self._read[name] = read()
            except Failed as error:
                self.trouble.append(str(error))
                self._read[name] = otherwise
        return self._read[name]

    def close(self):
        self._libvirt.close()


def _told(want, parts):
    """field -> what is there of it, where that is otherwise. The whole of a field says more than a part."""
    found = {}
    for (field, key), there in sorted(parts.items(), key=lambda item: (item[0][0], item[0][1] or "")):
        if key is None:
            found[field] = ALTERED if there is None and not want.get(field) else there
        elif (field, None) not in parts:
            one = found.setdefault(field, dict(want.get(field) or {}))
            one.pop(key, None)
            if there is not None:
                one[key] = there
    return found


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
