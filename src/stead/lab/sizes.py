"""Reads the lab file: how many hosts of which roles, and what the inventory should say of them.

Everything is checked here and reported together; nothing is chosen here (`layout` does) and nothing is touched.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from stead.core.diagnostics import Code, Diagnostic, Place, Refused
from stead.lab.codes import BAD_FILE, BAD_NAME, BAD_VALUE, refuse

ROLES = ("controller", "compute", "storage", "network")
BASES = ("stocked", "bare")
NAME = re.compile(r"[a-z][a-z0-9-]{0,11}")  # 12: with "sl-" before it, it names a link, which has 15 characters
SET = re.compile(r"[a-z][a-z0-9-]{0,15}")
PHYSICAL = re.compile(r"[a-z][a-z0-9-]{0,9}")
LEAST_DISK = 64 * 2**20  # bytes
MOST = 200  # hosts: what a /24 underlay has room for, beside the machine itself
DEFAULT_HOSTS: Mapping[str, Any] = {"controller": 1, "compute": 2, "storage": 1, "network": 1}
# 203.0.113.0/24 and 2001:db8::/32 are set aside for documentation: they stand for the outside and are nobody's.
DEFAULT_PHYSICAL: Mapping[str, Any] = {
    "external": {"hosts": ["network", "compute"], "cidr": "203.0.113.0/24", "cidr6": "2001:db8:113::/64"}
}


@dataclass(frozen=True, slots=True, kw_only=True)
class HostSet:
    """Alike hosts: `compute` with count 2 becomes compute-1 and compute-2."""

    name: str
    count: int
    roles: tuple[str, ...]
    zones: tuple[str, ...] = ()  # taken in turn
    cpus: int | None = None
    memory: int | None = None  # bytes
    disk: int | None = None  # bytes
    pools: Mapping[str, Any] | None = None
    variables: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class PhysicalNetwork:
    name: str
    sets: tuple[str, ...]  # roles or host sets whose hosts have a link in it
    cidr: ipaddress.IPv4Network
    cidr6: ipaddress.IPv6Network | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Sizes:
    name: str | None
    base: str
    mtu: int
    underlay: ipaddress.IPv4Network | None
    sets: tuple[HostSet, ...]
    physical: tuple[PhysicalNetwork, ...]


def check_name(name: str) -> str:
    if not NAME.fullmatch(name):
        refuse(
            BAD_NAME,
            f"{name!r}: use 1 to 12 of a-z, 0-9 and -, beginning with a letter; the name becomes part of network links,"
            " which have 15 characters.",
        )
    return name


def read_sizes(path: Path | None) -> Sizes:
    """The sizes of a file, or the default ones."""
    if path is None:
        return parse({}, "default")
    import yaml

    try:
        text = path.read_text(encoding="utf-8")
        tree = yaml.safe_load(text)
    except OSError as error:
        refuse(BAD_FILE, f"{path}: {error.strerror}.")
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        mark = getattr(error, "problem_mark", None)
        place = Place(str(path), mark.line + 1, mark.column + 1) if mark else None
        refuse(BAD_FILE, f"It is not YAML: {error}", place)
    return parse(tree if tree is not None else {}, str(path))


def parse(tree: object, file: str) -> Sizes:
    """The typed sizes of a tree, or a refusal with every mistake in it."""
    reader = SizesReader(file)
    sizes = reader.sizes(tree)
    if reader.found:
        raise Refused(*reader.found)
    return sizes


class SizesReader:
    """Collects mistakes while it reads, so that all are told at once."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.found: list[Diagnostic] = []

    def wrong(self, where: str, detail: str, code: Code = BAD_VALUE) -> None:
        self.found.append(code.at(None, f"{self.file}: {where}: {detail}"))

    def sizes(self, tree: object) -> Sizes:
        top = self.mapping(tree, "the file", {"name", "base", "mtu", "underlay", "hosts", "physical"})
        name = top.get("name")
        if name is not None and not (isinstance(name, str) and NAME.fullmatch(name)):
            self.wrong("name", f"{name!r}: use 1 to 12 of a-z, 0-9 and -, beginning with a letter.")
        base = top.get("base", BASES[0])
        if base not in BASES:
            self.wrong("base", f"{base!r}: choose {' or '.join(BASES)}.")
        sets = self.sets(top.get("hosts", DEFAULT_HOSTS))
        return Sizes(
            name=name if isinstance(name, str) else None,
            base=str(base),
            mtu=self.number(top.get("mtu", 1500), "mtu", 1280, 9216),
            underlay=self.v4(top["underlay"], "underlay") if "underlay" in top else None,
            sets=sets,
            physical=self.physical(top.get("physical", DEFAULT_PHYSICAL), sets, required="physical" in top),
        )

    def sets(self, tree: object) -> tuple[HostSet, ...]:
        hosts = self.mapping(tree, "hosts", None)
        sets = tuple(self.host_set(str(name), value) for name, value in hosts.items())
        total = sum(one.count for one in sets)
        if not 1 <= total <= MOST:
            self.wrong("hosts", f"{total} hosts: a lab has 1 to {MOST}.")
        return sets

    def host_set(self, name: str, value: object) -> HostSet:
        where = f"hosts.{name}"
        if not SET.fullmatch(name) or name == "neighbour":
            self.wrong(where, "use up to 16 of a-z, 0-9 and - for the name of hosts; `neighbour` is taken.")
        allowed = {"count", "roles", "zone", "cpus", "memory", "disk", "pools", "vars"}
        body = {"count": value} if isinstance(value, int) else self.mapping(value, where, allowed)
        zone = body.get("zone", ())
        return HostSet(
            name=name,
            count=self.number(body.get("count", 1), f"{where}.count", 0, MOST),
            roles=self.roles(body.get("roles"), name, where),
            zones=tuple(map(str, zone)) if isinstance(zone, (list, tuple)) else (str(zone),),
            cpus=self.number(body["cpus"], f"{where}.cpus", 1, 4096) if "cpus" in body else None,
            memory=self.bytes(body["memory"], f"{where}.memory") if "memory" in body else None,
            disk=self.disk(body["disk"], f"{where}.disk") if "disk" in body else None,
            pools=self.mapping(body["pools"], f"{where}.pools", None) if "pools" in body else None,
            variables=self.mapping(body.get("vars", {}), f"{where}.vars", None),
        )

    def roles(self, value: object, name: str, where: str) -> tuple[str, ...]:
        given = [name] if value is None else [value] if isinstance(value, str) else value
        if not isinstance(given, list) or not given or any(role not in ROLES for role in given):
            self.wrong(f"{where}.roles", f"{given!r}: say which of {', '.join(ROLES)} these hosts are.")
            return ()
        return tuple(given)

    def physical(self, tree: object, sets: tuple[HostSet, ...], *, required: bool) -> tuple[PhysicalNetwork, ...]:
        known = {one.name for one in sets} | {role for one in sets for role in one.roles}
        found = []
        for name, value in self.mapping(tree, "physical", None).items():
            where = f"physical.{name}"
            if not PHYSICAL.fullmatch(str(name)):
                self.wrong(where, "use up to 10 of a-z, 0-9 and - for the name of a physical network.")
            body = self.mapping(value, where, {"hosts", "cidr", "cidr6"})
            wanted = tuple(map(str, body.get("hosts", sorted(known))))
            for unknown in set(wanted) - known if required else ():
                self.wrong(f"{where}.hosts", f"there are no hosts or roles {unknown!r} in this lab.")
            cidr = self.v4(body.get("cidr"), f"{where}.cidr")
            cidr6 = self.v6(body["cidr6"], f"{where}.cidr6") if "cidr6" in body else None
            if cidr is not None:
                found.append(PhysicalNetwork(name=str(name), sets=wanted, cidr=cidr, cidr6=cidr6))
        return tuple(found)

    def mapping(self, tree: object, where: str, allowed: set[str] | None) -> Mapping[str, Any]:
        if not isinstance(tree, Mapping):
            self.wrong(where, f"is {tree!r} and should be a mapping (`key: value`).")
            return {}
        for unknown in set(tree) - allowed if allowed is not None else ():
            self.wrong(where, f"there is no key {unknown!r}; there are {', '.join(sorted(allowed or ()))}.")
        return tree

    def number(self, value: object, where: str, low: int, high: int) -> int:
        if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
            self.wrong(where, f"{value!r}: give a whole number from {low} to {high}.")
            return low
        return value

    def disk(self, value: object, where: str) -> int | None:
        size = self.bytes(value, where)
        if size is not None and size < LEAST_DISK:
            self.wrong(where, f"{value!r}: give 64MiB or more; a guest image alone needs some of it.")
        return size

    def bytes(self, value: object, where: str) -> int | None:
        match = re.fullmatch(r"(\d+) ?(MiB|GiB|TiB)", str(value))
        if match is None:
            self.wrong(where, f"{value!r}: give a size with its unit, 4GiB say.")
            return None
        return int(match[1]) * {"MiB": 2**20, "GiB": 2**30, "TiB": 2**40}[match[2]]

    def v4(self, value: object, where: str) -> ipaddress.IPv4Network | None:
        try:
            network = ipaddress.IPv4Network(str(value))
        except ValueError as error:
            self.wrong(where, f"{value!r} is not an IPv4 network: {error}.")
            return None
        if network.prefixlen > 24:
            self.wrong(where, f"{network} is too small: give a /24 or larger.")
        return network

    def v6(self, value: object, where: str) -> ipaddress.IPv6Network | None:
        try:
            return ipaddress.IPv6Network(str(value))
        except ValueError as error:
            self.wrong(where, f"{value!r} is not an IPv6 network: {error}.")
            return None
