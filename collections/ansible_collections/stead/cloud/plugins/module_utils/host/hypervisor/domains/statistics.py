"""What guests use, from libvirt's bulk statistics: one call for all of a host. Counters begin with a guest's start."""

from __future__ import annotations

import json
from typing import Any, Dict, Iterator, List, Mapping, Optional
from xml.etree import ElementTree as Xml

from ..driver import DiskUse, GuestUse, LinkUse
from .definition import NAMESPACE, flavor_of

NANO = 1e9
KIB = 1024


def everything(connection: Any) -> List[GuestUse]:
    """Of Stead's guests that are on. One that hangs is told with what can be had without waiting for it."""
    import libvirt

    wanted = (
        libvirt.VIR_DOMAIN_STATS_STATE
        | libvirt.VIR_DOMAIN_STATS_CPU_TOTAL
        | libvirt.VIR_DOMAIN_STATS_BALLOON
        | libvirt.VIR_DOMAIN_STATS_VCPU
        | libvirt.VIR_DOMAIN_STATS_INTERFACE
        | libvirt.VIR_DOMAIN_STATS_BLOCK
    )
    how = libvirt.VIR_CONNECT_GET_ALL_DOMAINS_STATS_ACTIVE | libvirt.VIR_CONNECT_GET_ALL_DOMAINS_STATS_NOWAIT
    found = []
    for domain, stats in connection.getAllDomainStats(wanted, how):
        told = _label(domain)
        if told is not None:
            found.append(use(told, stats))
    return found


def _label(domain: Any) -> Optional[Xml.Element]:
    """Nothing of a guest that is not Stead's, or that went away meanwhile."""
    import libvirt

    try:
        return Xml.fromstring(domain.metadata(libvirt.VIR_DOMAIN_METADATA_ELEMENT, NAMESPACE))
    except libvirt.libvirtError as error:
        if error.get_error_code() in (libvirt.VIR_ERR_NO_DOMAIN, libvirt.VIR_ERR_NO_DOMAIN_METADATA):
            return None
        raise


def use(label: Xml.Element, stats: Mapping[str, Any]) -> GuestUse:
    address = label.get("address", "")
    try:
        told = json.loads(label.text or "{}")
    except ValueError:
        told = {}
    record = told.get("record") if isinstance(told, dict) else None
    return GuestUse(
        address=address,
        project=address.partition("/")[0] if address.count("/") > 1 else "",
        uuid=label.get("uuid", ""),
        flavor=flavor_of(record.get("after") if isinstance(record, dict) else None),
        vcpus=int(stats.get("vcpu.current", 0)),
        cpu=stats.get("cpu.time", 0) / NANO,
        # Ready to run, and something else of the host ran.
        steal=sum(_each(stats, "vcpu", "delay")) / NANO,
        memory=_memory(stats),
        disks=tuple(_disks(stats)),
        links=tuple(_links(stats)),
    )


def _memory(stats: Mapping[str, Any]) -> Dict[str, int]:
    """In bytes. What the guest says itself (unused, usable, available) is there once its driver has said it."""
    names = {"current", "maximum", "rss", "unused", "usable", "available", "swap_in", "swap_out"}
    found = {name: stats.get("balloon." + name) for name in names}
    return {name: int(one) * KIB for name, one in found.items() if one is not None}


def _each(stats: Mapping[str, Any], group: str, name: str) -> Iterator[int]:
    """Of each vcpu. Those that were unplugged leave gaps."""
    most = int(stats.get(group + ".maximum", stats.get(group + ".current", 0)))
    return (int(stats.get("{0}.{1}.{2}".format(group, at, name), 0)) for at in range(most))


def _disks(stats: Mapping[str, Any]) -> Iterator[DiskUse]:
    for at in range(int(stats.get("block.count", 0))):
        stem = "block.{0}.".format(at)

        def number(name: str, stem: str = stem) -> int:
            return int(stats.get(stem + name, 0))

        yield DiskUse(
            name=str(stats.get(stem + "name", at)),
            reads=number("rd.reqs"),
            read_bytes=number("rd.bytes"),
            read_seconds=number("rd.times") / NANO,
            writes=number("wr.reqs"),
            written_bytes=number("wr.bytes"),
            write_seconds=number("wr.times") / NANO,
            flushes=number("fl.reqs"),
            flush_seconds=number("fl.times") / NANO,
            size=number("capacity"),
            allocated=number("allocation"),
        )


def _links(stats: Mapping[str, Any]) -> Iterator[LinkUse]:
    """As the guest sees it: what the host's interface sends, the guest receives."""
    for at in range(int(stats.get("net.count", 0))):
        stem = "net.{0}.".format(at)
        values = [
            int(stats.get("{0}{1}.{2}".format(stem, way, what), 0))
            for way in ("tx", "rx")
            for what in ("bytes", "pkts", "errs", "drop")
        ]
        yield LinkUse(str(stats.get(stem + "name", at)), *values)
