"""Domains and networks that are not Stead's, as values: from what hosts say, or from files of `virsh dumpxml`.

Whoever named a domain is not believed: its words are data until `translate` has checked each of them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from xml.etree import ElementTree as ET

from ansible_collections.stead.cloud.plugins.module_utils.host.hypervisor.domains.description import described
from stead.core.diagnostics import Code, Diagnostic, Place
from stead.core.named import NamedTuple
from stead.core.value import fields_of, value

UNREADABLE = Code("STEAD-K011", "the definition of a domain cannot be read")


class StrangeDisk(NamedTuple):
    type: str = ""  # libvirt's: file, block, network, …
    kind: str = "disk"
    path: str = ""
    device: str = ""
    bus: str = ""
    format: str = ""
    cache: str = ""
    readonly: bool = False
    shareable: bool = False
    size: int = 0  # bytes; unknown from XML alone
    room: int = 0  # of all that its directory holds
    backing: str = ""
    trouble: str = ""


class StrangeNic(NamedTuple):
    type: str = ""
    mac: str = ""
    network: str = ""  # libvirt's
    bridge: str = ""
    model: str = ""
    address: str = ""  # that libvirt's own DHCP gave it


class StrangeNetwork(NamedTuple):
    """One that libvirt makes."""

    bridge: str = ""
    forward: str = ""
    addresses: tuple[str, ...] = ()  # of the host in it


@value
class Stranger:
    """A domain that is not Stead's."""

    host: str
    name: str
    uuid: str
    place: Place | None = None  # of the file that it was read from
    state: str = "running"
    autostart: bool = False
    vcpus: int = 0
    max_vcpus: int = 0
    memory: int = 0
    max_memory: int = 0
    hypervisor: str = ""
    architecture: str = ""
    machine: str = ""
    cpu: str = ""
    firmware: str = "bios"
    boot: tuple[str, ...] = ()
    graphics: str = "none"
    agent: bool = False
    tpm: bool = False
    watchdog: str = "none"
    label: Mapping[str, str]
    unsaid: Mapping[str, str]
    disks: tuple[StrangeDisk, ...] = ()
    nics: tuple[StrangeNic, ...] = ()
    trouble: str = ""

    @property
    def title(self) -> str:
        return f"{self.host}/{self.name}" if self.host else self.name


@value
class Strangers:
    domains: tuple[Stranger, ...]
    networks: Mapping[tuple[str, str], StrangeNetwork]  # (host, libvirt's name)


def of_hosts(told: Mapping[str, Mapping[str, Any]]) -> Strangers:
    """From the facts of hosts, which were asked for it."""
    domains = [_stranger(one, host) for host in sorted(told) for one in told[host].get("domains", ())]
    networks = {
        (host, name): StrangeNetwork(one["bridge"], one["forward"], tuple(one["addresses"]))
        for host in sorted(told)
        for name, one in sorted(told[host].get("networks", {}).items())
    }
    return Strangers(domains=tuple(domains), networks=networks)


def of_file(data: bytes, file: str, host: str, found: list[Diagnostic]) -> Stranger | None:
    """From what `virsh dumpxml` wrote. Entities are refused: libvirt writes none, and they can grow without end."""
    place = Place(file, 1, 1)
    text = data.decode(errors="replace")  # in another encoding, a document type would be overlooked
    if "<!DOCTYPE" in text or "<!ENTITY" in text:
        found.append(UNREADABLE.at(place, "It declares a document type. `virsh dumpxml` writes none: use its output."))
        return None
    try:
        told = described(ET.fromstring(text))  # noqa: S314 - without entities nothing grows
    except (ET.ParseError, ValueError) as error:
        why = f"{str(error).capitalize()}. Give a file that `virsh dumpxml DOMAIN` wrote."
        found.append(UNREADABLE.at(place, why))
        return None
    return _stranger({**told, "state": "running", "autostart": True}, host, place)  # of which it says nothing


def _stranger(said: Mapping[str, Any], host: str, place: Place | None = None) -> Stranger:
    told = _printable(said)
    known = {name: told[name] for name in fields_of(Stranger) if name in told}
    known["disks"] = tuple(StrangeDisk(**one) for one in told.get("disks", ()))
    known["nics"] = tuple(StrangeNic(**one) for one in told.get("interfaces", ()))
    known["boot"] = tuple(one or "" for one in told.get("boot", ()))
    known |= {name: told.get(name) or {} for name in ("label", "unsaid")}
    texts = {name: told.get(name) or "" for name in ("name", "uuid", "machine", "cpu", "architecture", "hypervisor")}
    return Stranger(**{**known, **texts, "host": host, "place": place})


def _printable(told: Any) -> Any:
    """Without what would change the line, or the direction, of what is shown of it."""
    match told:
        case str():
            return "".join(one if one.isprintable() else "?" for one in told)
        case Mapping():
            return {_printable(name): _printable(one) for name, one in told.items()}
        case list():
            return [_printable(one) for one in told]
        case _:
            return told


def by_uuid(domains: Sequence[Stranger]) -> Mapping[str, Sequence[Stranger]]:
    found: dict[str, list[Stranger]] = {}
    for one in domains:
        found.setdefault(one.uuid, []).append(one)
    return found
