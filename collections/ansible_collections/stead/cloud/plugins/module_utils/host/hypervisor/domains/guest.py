"""A guest that libvirt keeps: every operation on one domain."""

from __future__ import annotations

import json
import os
from typing import Any, Callable, Mapping, Optional, Set, Union
from xml.etree import ElementTree as Xml

from ...base.errors import Failed
from ...base.step import HostStep
from ...base.work import Work
from ..driver import NO_SCREEN, Json, Plugs
from . import adoption, backup, definition, device_xml, flags, live, power


class Domain:
    def __init__(self, domain: Any) -> None:
        self._domain = domain

    @property
    def uuid(self) -> str:
        return str(self._domain.UUIDString())

    @property
    def name(self) -> str:
        return str(self._domain.name())

    def is_on(self) -> bool:
        return bool(self._domain.isActive())

    def digest(self) -> str:
        return definition.digest_in(Xml.fromstring(self._domain.XMLDesc(flags.defined())))

    def start(self, work: Work) -> None:
        power.start(self._domain, work)

    def pause(self, work: Work) -> None:
        power.pause(self._domain, work)

    def suspend(self, work: Work) -> None:
        power.suspend(self._domain, work)

    def is_suspended(self) -> bool:
        return bool(self._domain.hasManagedSaveImage())

    def stop(self, patience: int, work: Work) -> None:
        power.stop(self._domain, patience, work)

    def undefine(self, work: Work) -> None:
        work.act("undefine {0}".format(self.name), self._domain.undefineFlags, flags.undefine())

    def adopt(self, step: HostStep, work: Work) -> None:
        adoption.adopt(self._domain, step, work)

    def adjust(self, step: HostStep, plugs: Plugs, work: Work) -> None:
        live.adjust(self._domain, step, plugs, work)

    def grow(self, disk: str, size: int, work: Work) -> None:
        in_bytes = 1
        text = "grow {0} to {1} in use".format(disk, size)
        work.act(text, self._domain.blockResize, disk, size, in_bytes)

    def copy(self, paths: Mapping[str, str], freeze: Optional[bool]) -> bool:
        return backup.take(self._domain, paths, freeze)

    def abandon(self, path: str) -> None:
        backup.abandon(self._domain, path)

    def screen(self) -> int:
        """Without a password: whoever opens it is root here already."""
        import libvirt

        try:
            return int(self._domain.openGraphicsFD(0, libvirt.VIR_DOMAIN_OPEN_GRAPHICS_SKIPAUTH))
        except libvirt.libvirtError as error:
            raise Failed(NO_SCREEN, "{0}: {1}.".format(self.name, error)) from error

    def files(self) -> Set[str]:
        texts = [self._text(flags.inactive()), self._text(0)]
        found = (one.get("file") for text in texts for one in Xml.fromstring(text).iter("source"))
        return {one for one in found if one}

    def device_of(self, uuid: str, path: str) -> Optional[str]:
        """Its serial number says so, or where it lies. Most have nothing of it, and are read no closer: the last part
        of a path is Stead's, and has nothing to escape."""
        text = self._text(0)
        if os.path.basename(path) not in text and uuid[: device_xml.SERIAL] not in text:
            return None
        return device_xml.device_of(Xml.fromstring(text), uuid, path)

    def _text(self, which: int) -> str:
        """Of one that went away meanwhile, an empty one."""
        import libvirt

        try:
            return str(self._domain.XMLDesc(which))
        except libvirt.libvirtError as error:
            if error.get_error_code() == libvirt.VIR_ERR_NO_DOMAIN:
                return "<domain/>"
            raise

    def ask(self, command: str, arguments: Optional[Json], patience: int) -> Union[Json, str]:
        import libvirt
        import libvirt_qemu

        if not self.is_on():
            return "the guest is off"
        question = {"execute": command, "arguments": arguments} if arguments else {"execute": command}
        asked: Callable[..., str] = libvirt_qemu.qemuAgentCommand
        try:
            answer: Json = json.loads(asked(self._domain, json.dumps(question), patience, 0))
        except libvirt.libvirtError as error:
            return "the agent: {0}".format(error)
        found: Json = answer["return"]
        return found
