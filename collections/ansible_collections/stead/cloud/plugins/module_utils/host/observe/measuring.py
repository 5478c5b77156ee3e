"""What guests and pools of this host use: as metrics for Prometheus, and as rates for a person who looks now."""

from __future__ import annotations

import time
from typing import Any, Dict, Iterator, List, Mapping, Tuple

from ..base import ledger
from ..base.exposition import COUNTER, GAUGE, Metric, MetricSample
from ..base.sessions import Sessions
from ..hypervisor import drivers
from ..hypervisor.driver import DiskUse, GuestUse, LinkUse, Measures

STEM = "stead_guest_"
GUESTS = "instances"
# (name, help, field)
_DISKS = (
    ("disk_reads_total", "Reads.", "reads"),
    ("disk_read_bytes_total", "Bytes that were read.", "read_bytes"),
    ("disk_read_seconds_total", "Time that reads took, added up.", "read_seconds"),
    ("disk_writes_total", "Writes.", "writes"),
    ("disk_written_bytes_total", "Bytes that were written.", "written_bytes"),
    ("disk_write_seconds_total", "Time that writes took, added up.", "write_seconds"),
    ("disk_flushes_total", "Flushes.", "flushes"),
    ("disk_flush_seconds_total", "Time that flushes took, added up.", "flush_seconds"),
    ("disk_size_bytes", "Size, as the guest sees it.", "size"),
    ("disk_allocated_bytes", "What of it is written, where that is known.", "allocated"),
)
_LINKS = (
    ("network_receive_bytes_total", "Bytes that the guest received.", "received_bytes"),
    ("network_receive_packets_total", "Packets that the guest received.", "received"),
    ("network_receive_errors_total", "Packets to the guest with errors.", "receive_errors"),
    ("network_receive_drops_total", "Packets to the guest that were dropped.", "receive_drops"),
    ("network_send_bytes_total", "Bytes that the guest sent.", "sent_bytes"),
    ("network_send_packets_total", "Packets that the guest sent.", "sent"),
    ("network_send_errors_total", "Packets of the guest with errors.", "send_errors"),
    ("network_send_drops_total", "Packets of the guest that were dropped.", "send_drops"),
)
_MEMORY = {
    "current": "What the guest has now.",
    "maximum": "The most it may have.",
    "rss": "What it takes of the host's memory.",
    "unused": "What the guest does not use at all, as it says itself.",
    "usable": "What the guest could use without swapping, as it says itself.",
    "available": "All that the guest sees, as it says itself.",
    "swap_in": "What the guest read back from its swap.",
    "swap_out": "What the guest wrote to its swap.",
}


def uses() -> List[GuestUse]:
    """Of all hypervisors of this host that can tell. Where there should be guests and none is here, all are asked: who
    does not answer says why."""
    sessions = Sessions()
    try:
        asked = list(drivers.here(sessions))
        if not asked and ledger.everything(GUESTS):
            asked = [one.open(sessions) for one in drivers.DRIVERS]
        return [use for one in asked if isinstance(one, Measures) for use in one.uses()]
    finally:
        sessions.close()


def metrics(guests: List[GuestUse], seconds: float) -> List[Metric]:
    found = [_one("info", "1 for each guest that is on.", [_sample(one, 1, flavor=one.flavor) for one in guests])]
    found.append(_one("vcpus", "Processors.", [_sample(one, one.vcpus) for one in guests]))
    for name, text, field in (
        ("cpu_seconds_total", "Time of processors that the guest used.", "cpu"),
        ("steal_seconds_total", "Time in which its processors were ready and did not run.", "steal"),
    ):
        found.append(_one(name, text, [_sample(one, getattr(one, field)) for one in guests]))
    for name, text in _MEMORY.items():
        counts = name.startswith("swap")
        samples = [_sample(one, one.memory[name]) for one in guests if name in one.memory]
        found.append(_one("memory_{0}_bytes{1}".format(name, "_total" if counts else ""), text, samples))
    for name, text, field in _DISKS:
        found.append(_one(name, text, [_sample(one, getattr(of, field), disk=of.name) for one, of in _disks(guests)]))
    for name, text, field in _LINKS:
        samples = [_sample(one, getattr(of, field), interface=of.name) for one, of in _links(guests)]
        found.append(_one(name, text, samples))
    took = Metric("stead_metrics_seconds", GAUGE, "How long reading these took.", [MetricSample({}, seconds)])
    return [*found, took]


def _one(name: str, text: str, samples: List[MetricSample]) -> Metric:
    return Metric(STEM + name, COUNTER if name.endswith("_total") else GAUGE, text, samples)


def _sample(guest: GuestUse, value: float, **more: str) -> MetricSample:
    return MetricSample({"address": guest.address, "project": guest.project, "uuid": guest.uuid, **more}, value)


def _disks(guests: List[GuestUse]) -> Iterator[Tuple[GuestUse, DiskUse]]:
    return ((one, disk) for one in guests for disk in one.disks)


def _links(guests: List[GuestUse]) -> Iterator[Tuple[GuestUse, LinkUse]]:
    return ((one, link) for one in guests for link in one.links)


def rates(seconds: float) -> List[Dict[str, Any]]:
    """What each guest uses within the next seconds. One that was started or moved meanwhile is left out."""
    first, began = {one.uuid: one for one in uses()}, time.monotonic()
    time.sleep(seconds)
    now, took = uses(), time.monotonic() - began
    return [_rate(first[one.uuid], one, took) for one in now if one.uuid in first and one.cpu >= first[one.uuid].cpu]


def _rate(before: GuestUse, now: GuestUse, took: float) -> Dict[str, Any]:
    def grown(name: str) -> float:
        return max(0.0, float(getattr(now, name)) - float(getattr(before, name))) / took

    return {
        "address": now.address,
        "uuid": now.uuid,
        "vcpus": now.vcpus,
        "cpu": round(grown("cpu"), 4),  # processors
        "steal": round(grown("steal"), 4),
        # What libvirt calls `vcpu.wait` is waiting for a processor again: what waits for a disk is an operation.
        "wait": round(max(0.0, _waited(now) - _waited(before)) / took, 4),
        "memory": memory(now.memory),
        "disk": _grown(before.disks, now.disks, took, ("reads", "read_bytes", "writes", "written_bytes")),
        "network": _grown(
            before.links, now.links, took, ("received_bytes", "sent_bytes", "receive_drops", "send_drops")
        ),
    }


def _waited(guest: GuestUse) -> float:
    return sum(one.read_seconds + one.write_seconds + one.flush_seconds for one in guest.disks)


def memory(told: Mapping[str, int]) -> Dict[str, int]:
    """What is used, by the guest's own word where there is one, and else by what it takes of the host."""
    size = told.get("current", 0)
    if told.get("available") and "usable" in told:
        return {"size": size, "used": max(0, told["available"] - told["usable"])}
    return {"size": size, "used": min(told.get("rss", 0), size)}


def _grown(before: Any, now: Any, took: float, names: Tuple[str, ...]) -> Dict[str, float]:
    """Of devices that were there both times."""
    known = {one.name: one for one in before}
    return {
        name: round(
            sum(max(0, getattr(one, name) - getattr(known[one.name], name)) for one in now if one.name in known) / took,
            1,
        )
        for name in names
    }
