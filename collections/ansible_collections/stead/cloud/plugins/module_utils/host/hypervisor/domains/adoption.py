"""A domain that nobody's Stead made becomes Stead's: it is compared, and then says of itself whose it is.

Its definition, its devices and its process are not touched. What libvirt alone has of it (`kept`) stays for as long as
it is on this host, also when Stead defines it anew.
"""

from __future__ import annotations

from typing import Any, List
from xml.etree import ElementTree as Xml

from ....wire import instance as wire
from ...base.errors import Failed, FailureCode
from ...base.step import HostStep
from ...base.work import Work
from . import device_xml, flags, power, readback
from .definition import ADOPTED, NAMESPACE, label
from .description import label_of

SOMEBODYS = FailureCode("STEAD-E311", "the domain belongs to a Stead already")
CHANGED = FailureCode("STEAD-E312", "the domain is not as it was planned")
SHOWN = 5


def adopt(domain: Any, step: HostStep, work: Work) -> None:
    want = step["want"]
    seen = readback.everything(domain.connect())[want["uuid"]]
    own = seen.label()
    if own and (own.get("address") != step["address"] or own.get("site", "") != _site(step)):
        text = "It is {0} of site {1}. Nothing was done. Let that Stead forget it first, and remove its label."
        raise Failed(SOMEBODYS, text.format(own.get("address"), own.get("site") or "unknown"))
    differing = [] if own else _differing(seen, step)
    if differing:
        more = " and {0} more".format(len(differing) - SHOWN) if len(differing) > SHOWN else ""
        text = "It has changed: {0}{1}. Nothing was done. Plan again."
        raise Failed(CHANGED, text.format("; ".join(differing[:SHOWN]), more))
    _label(domain, step, work)
    power.autostart(domain, want, work)


def is_adopted(definition: str) -> bool:
    return label_of(Xml.fromstring(definition)).get(ADOPTED) == "yes"


def _site(step: HostStep) -> str:
    origin = step.get("origin")
    return origin["site"] if origin else ""


def _differing(seen: readback.SeenDomain, step: HostStep) -> List[str]:
    """By the one function that compares; and whether it has the disks, which that function takes for granted."""
    want = step["want"]
    found = seen.fields(want)
    found["autostart"] = want["autostart"]  # who starts it is what changes
    told = [
        "{0} is {1!r}, and was {2!r}".format(path, there, wanted)
        for path, there, wanted in wire.compare(want, dict(want, **found))
    ]
    there = set(seen.paths())
    return told + ["it has no disk {0}".format(path) for path in sorted(set(device_xml.places(want)) - there)]


def _label(domain: Any, step: HostStep, work: Work) -> None:
    """In the definition, and in what runs."""
    import libvirt

    made = label(step)
    made.set(ADOPTED, "yes")
    made.tag = "instance"  # libvirt puts the name space in by itself
    text = Xml.tostring(made, encoding="unicode")
    texts = [domain.XMLDesc(flags.inactive()), domain.XMLDesc(0)]
    if any(label_of(Xml.fromstring(one)).get("digest") != step["digest"] for one in texts):
        which = flags.lasting() | (flags.live() if domain.isActive() else 0)
        kind = libvirt.VIR_DOMAIN_METADATA_ELEMENT
        work.act("label", domain.setMetadata, kind, text, "stead", NAMESPACE, which)
