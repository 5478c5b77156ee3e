"""What changing an instance takes, as honestly as libvirt can do it: live, with a reboot, or with a new root disk."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from stead.kind import IN_PLACE, Action, Disruption, Effect

REBOOT = Effect(Action.REBOOT, Disruption.REBOOT)
REBUILD = Effect(Action.REBUILD, Disruption.REBUILD)
PAUSE = Effect(Action.UPDATE, Disruption.NETWORK)

# Part of the virtual hardware, which a guest gets when it starts.
_HARDWARE = (
    "agent",
    "architecture",
    "boot",
    "cpu",
    "devices",
    "firmware",
    "graphics",
    "hugepages",
    "hypervisor",
    "machine",
    "max_memory",
    "max_vcpus",
    "memory",
    "topology",
    "tpm",
    "vcpus",
    "watchdog",
)

EFFECTS: Mapping[str, Effect] = {
    **dict.fromkeys(_HARDWARE, REBOOT),
    "cdrom": IN_PLACE,
    "image": REBUILD,
    "root": REBOOT,
    "root.size": IN_PLACE,
    "root.iops": IN_PLACE,
    "root.throughput": IN_PLACE,
    "root.format": REBUILD,
    "root.pool": REBUILD,
    "root.swap": REBOOT,
    "root.ephemeral": REBOOT,
    "root.volume": REBUILD,
    "seed": REBUILD,
    "seed.keys": REBUILD,
    "volumes": IN_PLACE,
    "nics": PAUSE,
    "ports": PAUSE,
    "state": IN_PLACE,
}

# What a rebuild is needed for, whether the instance runs or not.
_OF_THE_DISK = frozenset({"image", "seed"})


def judge(field: str, old: Any, new: Any, want: Mapping[str, Any], have: Mapping[str, Any]) -> Effect | None:
    head, _, rest = field.partition(".")
    match head:
        case "root" if rest.partition(".")[0] in {"size", "pool", "format", "volume", "swap", "ephemeral"}:
            return _root(rest.partition(".")[0], old, new, have)
        case "state":
            # Stopping is what was asked for, but whoever uses it will notice.
            return Effect(Action.UPDATE, Disruption.REBOOT) if new == "stopped" else IN_PLACE
        case "nics":
            return _nic(rest)
    if head in _HARDWARE and have.get("state") == "stopped":
        return IN_PLACE
    if head in {"vcpus", "memory"} and _live(head, old, new, want, have):
        return IN_PLACE
    return None


def _live(field: str, old: Any, new: Any, want: Mapping[str, Any], have: Mapping[str, Any]) -> bool:
    """Up to the maximum that it was started with. Memory comes and goes by the balloon; CPUs only come."""
    limit = f"max_{field}"
    if not isinstance(old, int) or not isinstance(new, int) or want.get(limit) != have.get(limit):
        return False
    return new <= have.get(limit, 0) and (new > old or field == "memory")


def _root(part: str, old: Any, new: Any, have: Mapping[str, Any]) -> Effect:
    if part == "size":
        # A disk that shrinks is a new disk.
        return REBUILD if isinstance(old, int) and isinstance(new, int) and new < old else IN_PLACE
    if part in {"swap", "ephemeral"}:
        return IN_PLACE if have.get("state") == "stopped" else REBOOT
    return REBUILD


# Of an interface, what libvirt changes without unplugging it.
_NIC_LIVE = frozenset({"allowed", "bandwidth", "filtered", "groups", "position", "subnets", "routed"})


def _nic(rest: str) -> Effect | None:
    """`nics.app.groups.0` -> the third word says what changed; an interface that comes or goes is plugged live."""
    words = rest.split(".")
    if len(words) == 1 or words[1] in _NIC_LIVE:
        return IN_PLACE
    return PAUSE
