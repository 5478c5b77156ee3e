"""Secrets that libvirt gives to QEMU: private, kept by libvirt for root alone, told to nobody once they are set.

libvirt does not say what a private secret is. So one is set again whenever its file is not yet as it should be, and
the file is written afterwards.
"""

from __future__ import annotations

from typing import Any, NamedTuple, Optional
from xml.etree import ElementTree as Xml

from ..base import libvirt_client
from ..base.elements import element
from ..base.work import Work


class Usage(NamedTuple):
    """What it opens."""

    type: str  # as libvirt calls it
    name: str
    element: str = "target"  # in which libvirt wants the name


def is_set(uuid: str, work: Work) -> bool:
    return _find(libvirt_client.connection(work.sessions), uuid) is not None


def put(uuid: str, usage: Usage, secret: bytes, work: Work) -> None:
    work.act("give libvirt the secret of {0}".format(usage.name), _put, uuid, usage, secret, work)


def forget(uuid: str, work: Work) -> None:
    found = _find(libvirt_client.connection(work.sessions), uuid)
    if found is not None:
        work.act("take a secret from libvirt", found.undefine)


def _put(uuid: str, usage: Usage, secret: bytes, work: Work) -> None:
    made = Xml.Element("secret", {"ephemeral": "no", "private": "yes"})
    element(made, "uuid", text=uuid)
    element(element(made, "usage", {"type": usage.type}), usage.element, text=usage.name)
    connection = libvirt_client.connection(work.sessions)
    connection.secretDefineXML(Xml.tostring(made, encoding="unicode")).setValue(secret)


def _find(connection: Any, uuid: str) -> Optional[Any]:
    import libvirt

    try:
        return connection.secretLookupByUUIDString(uuid)
    except libvirt.libvirtError as error:
        if error.get_error_code() == libvirt.VIR_ERR_NO_SECRET:
            return None
        raise
