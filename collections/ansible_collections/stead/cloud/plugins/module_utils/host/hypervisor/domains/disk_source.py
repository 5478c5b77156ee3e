"""Where a disk is, in libvirt's words."""

from __future__ import annotations

from xml.etree import ElementTree as Xml

from ...base.elements import element
from ...storage.driver import DiskSource


def disk(source: DiskSource) -> Xml.Element:
    """A disk element with its source."""
    if source.protocol:
        found = Xml.Element("disk", {"type": "network", "device": "disk"})
        told = element(found, "source", {"protocol": source.protocol, "name": source.name})
        port = {"port": source.port} if source.port else {}
        if source.server:  # else the client knows by itself whom to ask
            element(told, "host", dict({"name": source.server}, **port))
        if source.secret:
            login = element(told, "auth", {"username": source.user})
            element(login, "secret", {"type": source.secret_type or source.protocol, "uuid": source.secret})
    elif source.device:
        found = Xml.Element("disk", {"type": "block", "device": "disk"})
        element(found, "source", {"dev": source.path})
    else:
        found = Xml.Element("disk", {"type": "file", "device": "disk"})
        told = element(found, "source", {"file": source.path})
        if source.kept:  # the server takes everybody for the same, who can open it, and nobody can give it away
            element(told, "seclabel", {"model": "dac", "relabel": "no"})
    return found
