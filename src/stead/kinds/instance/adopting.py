"""A domain that is taken over, compared with the instance that it is to be: in words of the instance."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import PurePosixPath
from typing import Any

# What a host says of a domain under the name that a want has for it.
_ALIKE = (
    "agent", "architecture", "boot", "cpu", "firmware", "graphics", "hypervisor", "machine", "max_memory", "max_vcpus",
    "memory", "state", "tpm", "vcpus", "watchdog",
)  # fmt: skip


def found(want: Mapping[str, Any], stranger: Mapping[str, Any]) -> tuple[Mapping[str, Any], tuple[str, ...]]:
    fields = {name: stranger[name] for name in _ALIKE if name in stranger}
    return {**want, **fields}, (*_interfaces(want, stranger), *_disks(want, stranger))


def _interfaces(want: Mapping[str, Any], stranger: Mapping[str, Any]) -> Iterator[str]:
    there = {one["mac"]: one for one in stranger.get("interfaces", ())}
    wanted = {port["mac"].lower(): want["nics"][key] for key, port in want["ports"].items()}
    yield from (f"it has an interface {mac} that the spec does not give it" for mac in sorted(there.keys() - wanted))
    yield from (f"it has no interface {mac}" for mac in sorted(wanted.keys() - there.keys()))
    for mac in sorted(there.keys() & wanted.keys()):
        if there[mac]["model"] != wanted[mac]["model"]:
            yield f"interface {mac} is of model {there[mac]['model']}, and not {wanted[mac]['model']}"


def _disks(want: Mapping[str, Any], stranger: Mapping[str, Any]) -> Iterator[str]:
    """By their paths: the serial numbers of Stead's own disks are not there."""
    there = {one["path"]: one for one in stranger.get("disks", ()) if one["kind"] == "disk"}
    root = want["root"].get("volume")
    attached = [dict(root, bus=want["root"]["bus"])] if root else []
    attached += list(want["volumes"].values())
    wanted = {_path(one["pool"]): one for one in attached}
    yield from (f"it has a disk {path} that the spec does not give it" for path in sorted(there.keys() - wanted.keys()))
    yield from (f"it does not have disk {path}" for path in sorted(wanted.keys() - there.keys()))
    for path in sorted(there.keys() & wanted.keys()):
        for name in ("format", "bus"):
            if there[path][name] != wanted[path][name]:
                yield f"{path} has {name} {there[path][name]}, and not {wanted[path][name]}"


def _path(pool: Mapping[str, Any]) -> str:
    """Of a volume that is a file since before. One that Stead makes is in no domain yet."""
    return str(PurePosixPath(pool.get("path", ""), pool["file"])) if "file" in pool else "that Stead is to make"
