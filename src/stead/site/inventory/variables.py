"""What the variables `stead_…` of a host mean: one table of variables, each with the function that reads it.

Reading never stops at the first mistake, and never guesses: a value that is not understood is a diagnostic.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from stead.core.observed import HostStatus, StoragePool
from stead.drivers import network, storage
from stead.drivers import object as objects

PREFIX = "stead_"
DEFAULT_POOL = "default"  # what volumes and disks ask for when they name none
_POOL_KEYS = frozenset({"type", "size", "path", "shared"})
_SIZE = re.compile(r"([0-9]{1,15}(?:\.[0-9]{1,15})?)\s?([KMGTP]i?B)")
_WHOLE = re.compile(r"[0-9]{1,18}")
_MOST = 10**18  # of anything that a host has; more is a mistake in typing
_FACTORS = {
    f"{letter}{infix}B": base**power
    for infix, base in (("i", 1024), ("", 1000))
    for power, letter in enumerate("KMGTP", 1)
}
_SIZED = ("memory", "disk:")  # amounts in bytes; all others are counted


class Bad(ValueError):  # noqa: N818 - names what is so
    """What is wrong with a value, as the end of a sentence that began with its name."""


def size(value: Any) -> int:
    match = _SIZE.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        raise Bad(f"is {value!r}: write a size with its unit, 64GiB say")
    return int(float(match[1]) * _FACTORS[match[2]])


def whole(value: Any) -> int:
    if isinstance(value, str) and _WHOLE.fullmatch(value):
        value = int(value)  # INI files have only text
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= _MOST:
        raise Bad(f"is {value!r}: write a whole number")
    return value


def text(value: Any) -> str:
    if not isinstance(value, (str, int, float)) or isinstance(value, bool):
        raise Bad(f"is {value!r}: write a text")
    return str(value)


def words(value: Any) -> frozenset[str]:
    if isinstance(value, str):
        return frozenset(value.replace(",", " ").split())
    if not isinstance(value, list):
        raise Bad(f"is {value!r}: write a list, [a, b] say")
    return frozenset(map(text, value))


def mapping(value: Any) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise Bad(f"is {value!r}: write a mapping, {{name: value}} say")
    return {str(key): one for key, one in value.items()}


def overcommit(value: Any) -> Mapping[str, float]:
    """A bare number is for vcpus, the only thing that most people promise more often than they have it."""
    given = {"vcpus": value} if isinstance(value, (int, float, str)) else mapping(value)
    found = {}
    for name, factor in given.items():
        try:
            found[name] = float(factor)
        except (TypeError, ValueError, OverflowError):
            raise Bad(f"has {factor!r} for {name}: write a factor, 4.0 say") from None
        if not 0 < found[name] <= _MOST:
            raise Bad(f"has {factor!r} for {name}: a factor is above 0, and a number to reckon with")
    return found


def amounts(value: Any) -> Mapping[str, int]:
    return {name: size(one) if name.startswith(_SIZED) else whole(one) for name, one in mapping(value).items()}


def devices(value: Any) -> Mapping[str, int]:
    """`gpu-a100: 2` is a device; `hugepages:2MiB: 512` and `iops:fast: 5000` say themselves what they are."""
    return {name if ":" in name else f"device:{name}": whole(one) for name, one in mapping(value).items()}


def pools(value: Any) -> Mapping[str, StoragePool]:
    given = {DEFAULT_POOL: value} if isinstance(value, str) else mapping(value)
    return {name: _pool(name, one) for name, one in given.items()}


def _pool(name: str, value: Any) -> StoragePool:
    body = {"size": value} if isinstance(value, str) else mapping(value)
    if unknown := sorted(body.keys() - _POOL_KEYS):
        raise Bad(f"has {unknown[0]!r} in pool {name}: a pool has {', '.join(sorted(_POOL_KEYS))}")
    kind = str(body.get("type", storage.DEFAULT_STORAGE))
    driver = storage.all_of_them().get(kind)
    if driver is None:
        raise Bad(f"has type {kind!r} in pool {name}: choose {', '.join(storage.all_of_them())}")
    path = str(body.get("path", driver.path.of(name)))
    if not driver.path.takes(path):
        raise Bad(f"has path {path!r} in pool {name}: for type {kind}, write {driver.path.wanted}")
    if "size" not in body:
        raise Bad(f"has no size in pool {name}: say how much it holds, 2TiB say")
    shared = boolean(body["shared"]) if "shared" in body else None
    return storage.pool(name, kind, size(body["size"]), path, shared=shared)


def boolean(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    if isinstance(value, str) and value.lower() in ("true", "yes", "on", "false", "no", "off"):
        return value.lower() in ("true", "yes", "on")
    raise Bad(f"is {value!r}: write true or false")


def texts(value: Any) -> Mapping[str, str]:
    return {name: text(one) for name, one in mapping(value).items()}


def network_drivers(value: Any) -> Mapping[str, str]:
    found = texts(value)
    others = [name for name in network.all_of_them() if name != network.DEFAULT]
    if unknown := sorted(found.keys() - others):
        raise Bad(f"has {unknown[0]!r}: write {' or '.join(others)}, with the host that keeps its database")
    return found


def object_drivers(value: Any) -> frozenset[str]:
    found = words(value)
    if unknown := sorted(found - objects.all_of_them().keys()):
        raise Bad(f"has {unknown[0]!r}: choose {', '.join(objects.all_of_them())}")
    return found


def maintenance(value: Any) -> tuple[HostStatus, str]:
    """A text is the reason for it."""
    if isinstance(value, str) and value.lower() not in ("true", "yes", "on", "false", "no", "off", ""):
        return HostStatus.MAINTENANCE, value
    return (
        (HostStatus.MAINTENANCE, "stead_maintenance")
        if value not in ("", None) and boolean(value)
        else (HostStatus.UP, "")
    )


# variable -> (fields of a Host, what reads it)
VARIABLES: dict[str, tuple[tuple[str, ...], Callable[[Any], Any]]] = {
    "stead_zone": (("zone",), text),
    "stead_vcpus": (("vcpus",), whole),
    "stead_memory": (("memory",), size),
    "stead_pools": (("pools",), pools),
    "stead_traits": (("traits",), words),
    "stead_overcommit": (("overcommit",), overcommit),
    "stead_reserved": (("reserved",), amounts),
    "stead_devices": (("devices",), devices),
    "stead_physical_networks": (("physical_networks",), texts),
    "stead_network_drivers": (("network_drivers",), network_drivers),
    "stead_object_drivers": (("object_drivers",), object_drivers),
    "stead_hypervisors": (("hypervisors",), words),
    "stead_architecture": (("architecture",), text),
    "stead_underlay": (("underlay",), text),
    "stead_underlay_address": (("underlay",), text),
    "stead_mtu": (("mtu",), whole),
    "stead_underlay_mtu": (("mtu",), whole),
    "stead_maintenance": (("state", "why"), maintenance),
    "stead_projects": (("projects",), words),
    "stead_reaches": (("reaches",), words),
    "stead_labels": (("labels",), texts),
}
# For the roles that prepare a host, for who fences it, or for the lab; the planner has no use for them.
OTHERS = frozenset(
    {
        *("stead_backup", "stead_fence", "stead_lab", "stead_metrics", "stead_runner", "stead_serve"),
        "stead_underlay_interface",
    }
)


def read(variables: Mapping[str, Any]) -> tuple[dict[str, Any], list[tuple[str, str]]]:
    """Fields of a Host, and (variable, what is wrong with it)."""
    fields: dict[str, Any] = {}
    wrong: list[tuple[str, str]] = []
    for name, (targets, reader) in VARIABLES.items():
        if name not in variables:
            continue
        try:
            value = reader(variables[name])
        except Bad as error:
            wrong.append((name, str(error)))
            continue
        fields.update(zip(targets, value if len(targets) > 1 else (value,), strict=True))
    return fields, wrong


def unknown(names: Iterable[str]) -> list[str]:
    return [name for name in names if name.startswith(PREFIX) and name not in VARIABLES and name not in OTHERS]
