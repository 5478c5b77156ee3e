"""What stays of a domain that others made when Stead defines it anew: all that an instance has no word for.

Pure: two definitions in, one out. What the want says is as Stead writes it; the rest is as it was: controllers and the
addresses of devices, so that a guest finds its interfaces under their names, and devices that Stead does not know.
"""

from __future__ import annotations

from typing import Dict, Optional
from xml.etree import ElementTree as Xml

from ...base.elements import inner
from .definition import ADOPTED, NAMESPACE
from .readback import hardware

# Devices that follow from one field of the want.
_FOLLOW = {
    "graphics": ("graphics", "video", "input"),
    "tpm": ("tpm",),
    "watchdog": ("watchdog",),
    "agent": ("channel",),
}
_OF_MACHINE = ("architecture", "boot", "firmware", "machine")
# Of an interface, what its want says, or what its network does.
_WIRED = frozenset(
    {"mac", "source", "target", "model", "mtu", "filterref", "bandwidth", "virtualport", "alias", "guest"}
)


def merged(before: str, made: str) -> str:
    old, new = Xml.fromstring(before), Xml.fromstring(made)
    was, becomes = hardware(old), hardware(new)
    differ = {name for name in becomes if was.get(name) != becomes[name]}
    _labels(old, new)
    if differ.isdisjoint(_OF_MACHINE):
        _instead(new, old, "os")
    if "cpu" not in differ and new.find("cpu/topology") is None:
        _instead(new, old, "cpu")
    for tag in ("clock", "on_poweroff", "on_reboot", "on_crash"):
        _instead(new, old, tag)
    _more(inner(new, "features"), old.find("features"))
    _more(new, old)
    _devices(inner(old, "devices"), inner(new, "devices"), differ)
    return Xml.tostring(new, encoding="unicode")


def _labels(old: Xml.Element, new: Xml.Element) -> None:
    inner(new, "metadata/{%s}instance" % NAMESPACE).set(ADOPTED, "yes")
    _more(inner(new, "metadata"), old.find("metadata"))


def _instead(new: Xml.Element, old: Xml.Element, tag: str) -> None:
    there, made = old.find(tag), new.find(tag)
    if there is not None and made is not None:
        at = list(new).index(made)
        new.remove(made)
        new.insert(at, there)


def _more(new: Xml.Element, old: Optional[Xml.Element]) -> None:
    """Elements of a sort that the new has none of."""
    known = {one.tag for one in new}
    new.extend([one for one in (old if old is not None else ()) if one.tag not in known])


def _devices(old: Xml.Element, new: Xml.Element, differ: "set[str]") -> None:
    made = list(new)
    for one in made:
        new.remove(one)
    replaced = {tag for field, tags in _FOLLOW.items() if field in differ for tag in tags}
    disks = {_path(one): one for one in old.findall("disk") if one.get("device", "disk") == "disk"}
    interfaces = {inner(one, "mac").get("address", "").lower(): one for one in old.findall("interface")}
    new.extend([_disk(one, disks) for one in made if one.tag == "disk"])
    new.extend([_interface(one, interfaces) for one in made if one.tag == "interface"])
    new.extend([one for one in made if one.tag in replaced])
    new.extend([one for one in old if one.tag not in ("disk", "interface") and one.tag not in replaced])
    new.extend([one for one in old.findall("disk") if one.get("device", "disk") != "disk"])


def _path(disk: Xml.Element) -> str:
    source = disk.find("source")
    return "" if source is None else source.get("file", "")


def _disk(made: Xml.Element, disks: Dict[str, Xml.Element]) -> Xml.Element:
    """One that was there before, with the limits and the cache that it is to have."""
    old = disks.get(_path(made)) if _path(made) else None
    if old is None or inner(old, "target").attrib.get("bus") != inner(made, "target").get("bus"):
        return made
    for limits in old.findall("iotune"):
        old.remove(limits)
    old.extend(made.findall("iotune"))
    driver, wanted = old.find("driver"), inner(made, "driver")
    if driver is not None and driver.get("cache") != wanted.get("cache"):
        driver.attrib.pop("cache", None)
        driver.attrib.update({"cache": wanted.attrib["cache"]} if "cache" in wanted.attrib else {})
    return old


def _interface(made: Xml.Element, interfaces: Dict[str, Xml.Element]) -> Xml.Element:
    old = interfaces.get(inner(made, "mac").get("address", "").lower())
    if old is not None:
        known = _WIRED | {one.tag for one in made}
        made.extend([one for one in old if one.tag not in known])
    return made
