"""Virtual machines by QEMU, through libvirt: the host's half of the driver `qemu`.

One driver with two accelerations, which users know as two hypervisors: `kvm`, and `qemu` for emulation. They differ in
one word of a domain and in how fast it is; all else here is the same.
"""

from __future__ import annotations

import glob
import os
import shutil
from typing import Any, Dict, List, Optional, Tuple, Type

from ..base import libvirt_client, paths
from ..base.errors import Failed, FailureCode
from ..base.sessions import Sessions
from ..base.step import HostStep, Want
from ..base.work import Work
from .domains import adoption, definition, flags, kept, power, probe, readback, statistics, strangers
from .domains.guest import Domain
from .driver import Guest, GuestUse, Json, Plugs, SeenGuest

CERTIFICATES = ("ca-cert.pem", "server-cert.pem", "server-key.pem", "client-cert.pem", "client-key.pem")
NAME_TAKEN = FailureCode("STEAD-E302", "another guest of the host has the name")


class Qemu:
    def __init__(self, sessions: Sessions) -> None:
        self._sessions = sessions

    @property
    def _connection(self) -> Any:
        return libvirt_client.connection(self._sessions)

    def find(self, uuid: str) -> Optional[Guest]:
        found = libvirt_client.find(self._connection, uuid)
        return None if found is None else Domain(found)

    def guests(self) -> List[Guest]:
        return [Domain(one) for one in self._connection.listAllDomains()]

    def define(self, step: HostStep, plugs: Plugs, work: Work) -> Optional[Guest]:
        made = self._define(step, plugs, work)
        if made is None:
            return None
        power.autostart(made, step["want"], work)
        return Domain(made)

    def _define(self, step: HostStep, plugs: Plugs, work: Work) -> Any:
        want, connection = step["want"], self._connection
        there = libvirt_client.find(connection, want["uuid"])
        same = there is not None and step["action"] == "create" and Domain(there).digest() == step["digest"]
        if same and not work.changed:  # else it may lack what it stands on, such as a volume's account
            return there
        text = definition.build(self._as_called(step, there, work), plugs)
        words = "define {0}".format(want["name"])
        before = there.XMLDesc(flags.defined()) if there is not None else ""
        if there is not None and adoption.is_adopted(before):
            text = kept.merged(before, text)
        if there is None or work.check:
            return work.act(words, connection.defineXML, text) or there
        after = connection.defineXML(text)
        if after.XMLDesc(flags.defined()) != before:
            work.done.append(words)
        return after

    def check(self, want: Want) -> None:
        """One of Stead's that was renamed in the spec is called as before for as long as it runs: that is no reason."""
        other = libvirt_client.find_name(self._connection, want["name"])
        if other is None or other.UUIDString() == want["uuid"] or Domain(other).digest():
            return
        text = "Another domain on this host, {0}, is named {1}. Stead does not touch it: rename it, or the instance."
        raise Failed(NAME_TAKEN, text.format(other.UUIDString(), want["name"]))

    def _as_called(self, step: HostStep, domain: Any, work: Work) -> HostStep:
        """libvirt gives another name only to a domain that is off; one that runs, and whoever has the name, keep
        theirs."""
        want = step["want"]
        name, taken = want["name"], libvirt_client.find_name(self._connection, want["name"]) is not None
        if domain is None:
            name += "-" + want["uuid"][:8] if taken else ""
        elif adoption.is_adopted(domain.XMLDesc(flags.inactive())):
            name = domain.name()  # whoever made it knows it by that
        elif domain.name() != name and (taken or domain.isActive() or domain.hasManagedSaveImage()):
            name = domain.name()
        elif domain.name() != name:
            work.act("rename {0} to {1}".format(domain.name(), name), domain.rename, name)
        return {**step, "want": dict(want, name=name)}

    def seen(self) -> Dict[str, SeenGuest]:
        return dict(readback.everything(self._connection))

    def uses(self) -> List[GuestUse]:
        return statistics.everything(self._connection)

    def strangers(self) -> Json:
        return strangers.strangers(self._connection)

    def versions(self) -> Dict[str, str]:
        def spoken(number: int) -> str:
            return "{0}.{1}.{2}".format(number // 1000000, number // 1000 % 1000, number % 1000)

        connection = self._connection
        return {"libvirt": spoken(connection.getLibVersion()), "qemu": spoken(connection.getVersion())}


class QemuDriver:
    runs: Tuple[str, ...] = ("kvm", "qemu")
    guest: Type[Any] = Domain

    def is_here(self) -> bool:
        return libvirt_client.is_here()

    def open(self, sessions: Sessions) -> Qemu:
        return Qemu(sessions)

    def console_log(self, uuid: str) -> str:
        return definition.console_log(uuid)

    def trials(self) -> Dict[str, str]:
        return probe.hypervisors()

    def depends_on(self) -> List[Any]:
        return probe.depends_on()

    def hardware(self) -> Json:
        """Firmware, and a security chip in software."""
        return {
            "firmware": ["bios"] + (["uefi"] if glob.glob("/usr/share/qemu/firmware/*.json") else []),
            "tpm": shutil.which("swtpm") is not None,
            "certificates": all(os.path.exists(os.path.join(paths.MOVES_PKI, name)) for name in CERTIFICATES),
        }


DRIVER = QemuDriver()
