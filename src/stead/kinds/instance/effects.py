"""What changing an instance takes, as hypervisors do it: live, with a reboot, or with a new root disk."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from stead.core.kind import IN_PLACE, NAMED, Action, Data, Disruption, Effect
from stead.drivers.hypervisor import by_hypervisor

REBOOT = Effect(Action.REBOOT, Disruption.REBOOT)
REBUILD = Effect(Action.REBUILD, Disruption.DATA_LOSS)
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
    **NAMED,
    **dict.fromkeys(_HARDWARE, REBOOT),
    "autostart": IN_PLACE,
    "cdrom": IN_PLACE,
    "hostname": IN_PLACE,
    "labels": IN_PLACE,
    "os": IN_PLACE,
    "properties": IN_PLACE,
    "image": REBUILD,
    "root": REBOOT,
    "seed": REBUILD,
    "volumes": IN_PLACE,
    "nics": PAUSE,
    "ports": PAUSE,
    "state": IN_PLACE,
    "stop_timeout": IN_PLACE,
    "wait": IN_PLACE,
}

# What a user calls a field that the spec has under another name.
WORDS: Mapping[str, str] = {
    "labels": "labels",
    "nics": "interfaces",
    "nics.*": "interface in {}",
    "nics.*.groups": "security_groups in {}",
    "nics.*.filtered": "port_security in {}",
    "ports": "addresses of interfaces",
    "ports.*": "interface in {}",
    "ports.*.addresses": "addresses in {}",
    "ports.*.mac": "MAC in {}",
    "root": "disk",
    "root.size": "disk",
    "root.volume": "boot_volume",
    "seed": "cloud_init",
    "seed.keys": "keypairs",
    "volumes.*": "volume {}",
    "volumes.*.uuid": "UUID of volume {}",
}

# Of the root disk, what makes it another one; the rest is how it is reached and plugged.
_ROOT_ITSELF = frozenset({"format", "pool.name", "volume.uuid"})
_ROOT_LIVE = frozenset({"iops", "throughput", "volume.size"})
# Of an interface, what a hypervisor changes without unplugging it.
_NIC_LIVE = frozenset({"allowed", "bandwidth", "filtered", "groups", "position", "subnets", "routed"})
# Of another format it is another volume, of which the guest has let go before.
_VOLUME_LIVE = frozenset({"format", "qos", "shareable", "size"})


def effect_of(field: str, old: Any, new: Any, want: Mapping[str, Any], have: Mapping[str, Any]) -> Effect | None:
    """`root.size` says what changed by its words; a restart that nobody would notice is none. What is read at the first
    boot only changes nothing before the next disk, unless the spec asks for one."""
    head, _, rest = field.partition(".")
    found: Effect | None = None
    match head:
        case "root":
            found = _root(rest, old, new)
        case "image":
            found = REBUILD
        case "seed":
            asked = (want.get("seed") or {}).get("on_change") == "rebuild"
            found = REBUILD if asked else REBUILD._replace(later=True)
        case "nics" | "ports":
            found = _nic(rest)
        case "volumes":
            found = _volume(rest, want, have)
        case "state":
            # Stopping is what was asked for, but whoever uses it will notice.
            return Effect(Action.UPDATE, Disruption.REBOOT) if new == "stopped" else IN_PLACE
        case "vcpus" | "memory" if _live(head, old, new, want, have):
            return IN_PLACE
        case _ if head in _HARDWARE:
            found = _hardware(head, old, new)
    if found == REBUILD:
        return rebuild(have)
    return IN_PLACE if found in (REBOOT, PAUSE) and have.get("state") == "stopped" else found


def holds(have: Mapping[str, Any]) -> Data:
    """A root disk of its own: what it boots from, if that is a volume, outlives it."""
    root = have.get("root") or {}
    if "volume" in root:
        return Data.NONE
    return Data.SHARED if "server" in (root.get("pool") or {}) else Data.HERE


def rebuild(have: Mapping[str, Any]) -> Effect:
    """A root disk is data: a new one loses what was on it."""
    return REBUILD._replace(disturbs=Disruption.REBUILD) if holds(have) is Data.NONE else REBUILD


def _live(field: str, old: Any, new: Any, want: Mapping[str, Any], have: Mapping[str, Any]) -> bool:
    """Up to the maximum that it was started with. Memory comes and goes by the balloon; CPUs only come."""
    limit = f"max_{field}"
    if not isinstance(old, int) or not isinstance(new, int) or want.get(limit) != have.get(limit):
        return False
    return new <= have.get(limit, 0) and (new > old or field == "memory")


def _hardware(head: str, old: Any, new: Any) -> Effect:
    """What one driver made, another cannot boot from."""
    other = head == "hypervisor" and by_hypervisor().get(old) is not by_hypervisor().get(new)
    return REBUILD if other else REBOOT


def _root(rest: str, old: Any, new: Any) -> Effect:
    if rest == "size":
        # A disk that shrinks is a new disk, and so is one where there is none any more.
        return REBUILD if isinstance(old, int) and isinstance(new, int) and not 0 < old <= new else IN_PLACE
    if rest in _ROOT_ITSELF or rest in {"pool", "volume"}:
        return REBUILD
    return IN_PLACE if rest in _ROOT_LIVE else REBOOT


def _nic(rest: str) -> Effect:
    """`nics.app.groups`: the third word says what changed. An interface that comes or goes is plugged live."""
    words = rest.split(".")
    return IN_PLACE if len(words) == 1 or words[1] in _NIC_LIVE else PAUSE


def _volume(rest: str, want: Mapping[str, Any], have: Mapping[str, Any]) -> Effect:
    """Plugged and unplugged live, which one under the name of another is too; what is plugged already is not plugged
    otherwise without a restart.
    """
    name, _, what = rest.partition(".")
    wanted, there = (fields.get("volumes", {}).get(name, {}).get("uuid") for fields in (want, have))
    return IN_PLACE if not what or wanted != there or what.partition(".")[0] in _VOLUME_LIVE else REBOOT


def detached(have: Mapping[str, Any], uuids: frozenset[str]) -> tuple[Mapping[str, Any], Effect] | None:
    """Volumes are unplugged while it runs. What it boots from it can only let go of when it is off."""
    volumes, root = have.get("volumes") or {}, have.get("root") or {}
    kept = {name: one for name, one in volumes.items() if one.get("uuid") not in uuids}
    if root.get("volume", {}).get("uuid") in uuids:
        bare = {name: value for name, value in root.items() if name != "volume"}
        return {**have, "volumes": kept, "root": bare, "state": "stopped"}, REBOOT
    return ({**have, "volumes": kept}, IN_PLACE) if len(kept) != len(volumes) else None
