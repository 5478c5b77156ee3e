"""What changing an instance takes, as hypervisors do it: live, with a reboot, or with a new root disk."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from stead.core.effect import IN_PLACE, NAMED, Action, Data, Disruption, Effect
from stead.drivers.hypervisor import by_hypervisor
from stead.kinds.shared.storage import pool_effects

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
# How a volume is plugged, which what is plugged already cannot change without a restart.
_PLUGGED = ("bus", "cache", "device", "mode", "pinned", "pool")
_COLD = ("ide", "sata")  # buses on which nothing comes or goes while a guest runs
# Of an interface, what a hypervisor changes without unplugging it.
_NIC_LIVE = ("allowed", "bandwidth", "filtered", "groups", "position", "routed", "subnets")

# What a suspended one may get meanwhile. All else it has as it was when its memory was written, devices and disks, and
# it cannot go on with others.
_APART = frozenset({
    "autostart", "hostname", "labels", "migration", "name", "os", "properties", "state", "stop_timeout", "wait",
})  # fmt: skip
_APART_OF_NICS = (".allowed", ".groups", ".position", ".routed", ".subnets")

EFFECTS: Mapping[str, Effect] = {
    **NAMED,
    **dict.fromkeys(_HARDWARE, REBOOT),
    "autostart": IN_PLACE,
    "cdrom": IN_PLACE,
    "hostname": IN_PLACE,
    "labels": IN_PLACE,
    "origin": IN_PLACE,  # its past
    "migration": IN_PLACE,  # read when it moves
    "os": IN_PLACE,
    "properties": IN_PLACE,
    "image": REBUILD,
    "seed": REBUILD,
    # The root disk: what makes it another one; the rest is how it is reached and plugged.
    **dict.fromkeys(("root", "root.bus", "root.cache", "root.ephemeral", "root.swap"), REBOOT),
    **dict.fromkeys(("root.iops", "root.size", "root.throughput"), IN_PLACE),
    **dict.fromkeys(("root.format", "root.generation", "root.pool"), REBUILD),
    **pool_effects("root.pool", REBOOT, another=REBUILD),
    **dict.fromkeys(("root.volume", "root.volume.uuid"), REBUILD),
    **{f"root.volume.{one}": REBOOT for one in (*_PLUGGED, "format", "qos", "shareable")},
    "root.volume.size": IN_PLACE,
    # Volumes and interfaces come and go live, and some of what is plugged changes live. Of another format a volume is
    # another one, of which the guest has let go before.
    **dict.fromkeys(("volumes", "volumes.*"), IN_PLACE),
    **{f"volumes.*.{one}": REBOOT for one in _PLUGGED},
    **{f"volumes.*.{one}": IN_PLACE for one in ("format", "qos", "shareable", "size", "uuid")},
    "nics": PAUSE,  # so many that they are told as one
    "nics.*": IN_PLACE,
    **{f"nics.*.{one}": PAUSE for one in ("driver", "look", "model", "mtu", "network", "network_uuid")},
    **{f"nics.*.{one}": IN_PLACE for one in _NIC_LIVE},
    "ports": PAUSE,
    "ports.*": IN_PLACE,
    **dict.fromkeys(("ports.*.addresses", "ports.*.mac"), PAUSE),
    "shelved": IN_PLACE,
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


def effect_of(
    named: Effect, field: str, old: Any, new: Any, want: Mapping[str, Any], have: Mapping[str, Any]
) -> Effect:
    """A restart that nobody would notice is none. What is read at the first boot only changes nothing before the next
    disk, unless the spec asks for one."""
    found = named
    match field.split("."):
        case ["root", "size"] if _shrinks(old, new):
            found = REBUILD
        case ["hypervisor"] if by_hypervisor().get(old) is not by_hypervisor().get(new):
            found = REBUILD  # what one driver made, another cannot boot from
        case ["seed", *_] if (want.get("seed") or {}).get("on_change") != "rebuild":
            found = REBUILD._replace(later=True)
        case ["volumes", name, *_] if _is_another(name, want, have):
            found = REBOOT if _is_cold(name, want, have) else IN_PLACE
        case ["volumes"] if _plugged_otherwise(want, have):
            found = REBOOT
        case ["state"]:
            return _of_state(old, new)
        case ["vcpus" | "memory" as head] if _live(head, old, new, want, have):
            found = IN_PLACE
    if found == REBUILD:
        return rebuild(have)
    if have.get("state") == "suspended" and found.action is Action.UPDATE and not _is_apart(field):
        return REBOOT
    return IN_PLACE if found in (REBOOT, PAUSE) and have.get("state") == "stopped" else found


def _is_apart(field: str) -> bool:
    return field.partition(".")[0] in _APART or field.endswith(_APART_OF_NICS)


def _of_state(old: Any, new: Any) -> Effect:
    """It is what was asked for, but whoever uses it will notice: its memory is lost; or is kept, and nobody answers."""
    if new == "stopped":
        return Effect(Action.UPDATE, Disruption.REBOOT)
    return PAUSE if old == "running" else IN_PLACE


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


def _shrinks(old: Any, new: Any) -> bool:
    """A disk that shrinks is a new disk, and so is one where there is none any more."""
    return isinstance(old, int) and isinstance(new, int) and not 0 < old <= new


def _is_another(name: str, want: Mapping[str, Any], have: Mapping[str, Any]) -> bool:
    """Under the name of a volume: the one is unplugged live and the other plugged."""
    wanted, there = (fields.get("volumes", {}).get(name, {}).get("uuid") for fields in (want, have))
    return bool(wanted != there)


def _is_cold(name: str, want: Mapping[str, Any], have: Mapping[str, Any]) -> bool:
    return any(fields.get("volumes", {}).get(name, {}).get("bus") in _COLD for fields in (want, have))


def _plugged_otherwise(want: Mapping[str, Any], have: Mapping[str, Any]) -> bool:
    """Of so many volumes that they are told as one."""
    wanted, there = ({one["uuid"]: one for one in (fields.get("volumes") or {}).values()} for fields in (want, have))
    kept = wanted.keys() & there.keys()
    moved = wanted.keys() ^ there.keys()
    return any(
        wanted[uuid].get(name) != there[uuid].get(name) for uuid in kept for name in ("bus", "cache", "mode")
    ) or any((wanted.get(uuid) or there[uuid]).get("bus") in _COLD for uuid in moved)


def detached(have: Mapping[str, Any], uuids: frozenset[str]) -> tuple[Mapping[str, Any], Effect] | None:
    """Volumes are unplugged while it runs. What it boots from it can only let go of when it is off."""
    volumes, root = have.get("volumes") or {}, have.get("root") or {}
    kept = {name: one for name, one in volumes.items() if one.get("uuid") not in uuids}
    if root.get("volume", {}).get("uuid") in uuids:
        bare = {name: value for name, value in root.items() if name != "volume"}
        return {**have, "volumes": kept, "root": bare, "state": "stopped"}, REBOOT
    if len(kept) == len(volumes):
        return None
    if have.get("state") == "suspended":  # its memory would come back with a disk that is another's by then
        return {**have, "volumes": kept, "state": "stopped"}, REBOOT
    return {**have, "volumes": kept}, IN_PLACE
