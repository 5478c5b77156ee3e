"""What this host has now, as its programs and its kernel report it. Each call reads again.

Everything that compares have with want reads through this module. To compare a whole host, use `Shared`, which
answers the same questions from a few tables that it reads once.
"""

from __future__ import annotations

import json
import os
import re
from typing import (
    Any,
    Callable,
    Dict,
    Iterable,
    List,
    Mapping,
    NamedTuple,
    Optional,
    Sequence,
    Set,
    Tuple,
    TypeVar,
)

from ..net import entering
from . import commands, ledger, libvirt_client, paths
from .errors import Failed, FailureCode
from .sessions import Sessions
from .step import Entry

BAD_ANSWER = FailureCode("STEAD-E008", "`ip` gave an unexpected answer")

T = TypeVar("T")
NAMESPACES = "/run/netns"
_SHOW = ["systemctl", "show", "--property=Id,ActiveState,ExecStart", "--"]
_OWN = "stead-"  # prefix of Stead's units
_ARGUMENTS = re.compile(r"argv\[\]=(.*?) ; ignore_errors=")


Link = Dict[str, Any]  # of `ip -json`


class Unread(Failed):
    """The state cannot be read, so nothing is known of it."""


class Unit(NamedTuple):
    active: bool
    words: str  # what it runs


class Readings:
    def __init__(self, sessions: Sessions) -> None:
        self._sessions = sessions

    def _connection(self) -> Any:
        return libvirt_client.connection(self._sessions)

    def entry(self, kind: str, uuid: str) -> Optional[Entry]:
        """The entry of the ledger, or None."""
        return ledger.read(kind, uuid)

    def entries(self, kind: str) -> List[Entry]:
        return ledger.everything(kind)

    def links(self, namespace: str = "") -> Dict[str, Link]:
        """name -> link, with details and addresses, on this host or in one of its network namespaces."""
        return _named(*_ip(["link show", "address show"], namespace))

    def routes(self, namespace: str) -> List[Dict[str, Any]]:
        """Routes of both IP versions, including the kernel's own."""
        return _ip(["route show table all"], namespace)[0]

    def namespaces(self) -> Set[str]:
        try:
            return set(os.listdir(NAMESPACES))
        except FileNotFoundError:
            return set()

    def forwarding(self, device: str) -> List[Dict[str, Any]]:
        """Forwarding entries of a device that is a port of a bridge."""
        status, out, _said = commands.attempt(["bridge", "-json", "fdb", "show", "dev", device])
        return json.loads(out or "[]") if status == 0 else []

    def neighbours(self, device: str) -> Dict[str, str]:
        """address -> MAC of permanent neighbour entries."""
        status, out, _said = commands.attempt(["ip", "-json", "neighbour", "show", "dev", device, "nud", "permanent"])
        return _pairs(json.loads(out or "[]") if status == 0 else [])

    def listing(self, table: str, namespace: str = "") -> Optional[List[Dict[str, Any]]]:
        """The whole nftables table, or None if there is none with this name."""
        inside = ["ip", "netns", "exec", namespace] if namespace else []
        status, out, _said = commands.attempt([*inside, "nft", "-j", "list", "table", *table.split()])
        return json.loads(out)["nftables"] if status == 0 else None

    def setting(self, path: str, namespace: str = "") -> str:
        """A kernel setting, under /proc/sys."""
        data = entering.within(namespace, paths.read_bytes, path) if namespace else paths.read_bytes(path)
        return (data or b"").decode().strip()

    def unit(self, name: str) -> Optional[Unit]:
        """None if systemd does not know the unit."""
        return _units(commands.run([*_SHOW, name])).get(name)

    def members(self, name: str) -> Optional[List[str]]:
        """Addresses in an ipset, sorted; None if there is no such set."""
        status, out, _said = commands.attempt(["ipset", "-output", "save", "list", name])
        return _sets(out).get(name) if status == 0 else None

    def ask(self, _name: str, read: Callable[[], T]) -> T:
        """A value that only one driver needs, with the function that reads it."""
        return read()

    def filter(self, name: str) -> Optional[str]:
        """A libvirt filter as XML, or None if there is none with this name."""
        import libvirt

        try:
            found: str = self._connection().nwfilterLookupByName(name).XMLDesc()
        except libvirt.libvirtError as error:
            if error.get_error_code() == libvirt.VIR_ERR_NO_NWFILTER:
                return None
            raise
        return found


class Shared(Readings):
    """The state at the first reading. What cannot be read is reported once and not read again."""

    def __init__(self, sessions: Sessions, trouble: List[str], lost: Sequence[Entry] = ()) -> None:
        super().__init__(sessions)
        self._trouble = trouble
        self._lost = lost  # entries that the ledger should have; they also help to identify resources
        self._read: Dict[object, Any] = {}
        self._failed: Dict[object, Unread] = {}

    def entry(self, kind: str, uuid: str) -> Optional[Entry]:
        return super().entry(kind, uuid) or next((one for one in self._of(kind) if one["uuid"] == uuid), None)

    def entries(self, kind: str) -> List[Entry]:
        return super().entries(kind) + self._of(kind)

    def _of(self, kind: str) -> List[Entry]:
        return [one for one in self._lost if one["kind"] == kind]

    def _once(self, name: object, read: Callable[..., T], *arguments: Any) -> T:
        if name not in self._read and name not in self._failed:
            try:
                self._read[name] = read(*arguments)
            except Failed as error:
                self._trouble.append(str(error))
                self._failed[name] = Unread(error.code or error.text, error.text)
        failed = self._failed.get(name)
        if failed is not None:
            raise failed
        found: T = self._read[name]
        return found

    def links(self, namespace: str = "") -> Dict[str, Link]:
        found = self._within(namespace) if namespace else self._here()
        return found[0]

    def routes(self, namespace: str) -> List[Dict[str, Any]]:
        return self._within(namespace)[1]

    def _here(self) -> Tuple[Dict[str, Link], Dict[str, Dict[str, str]]]:
        return self._once("here", _here)

    def _within(self, namespace: str) -> Tuple[Dict[str, Link], List[Dict[str, Any]]]:
        return self._once(("within", namespace), _within, namespace)

    def namespaces(self) -> Set[str]:
        return self._once("namespaces", super().namespaces)

    def forwarding(self, device: str) -> List[Dict[str, Any]]:
        return self._once("forwarding", _forwarding).get(device, [])

    def neighbours(self, device: str) -> Dict[str, str]:
        return self._here()[1].get(device, {})

    def listing(self, table: str, namespace: str = "") -> Optional[List[Dict[str, Any]]]:
        return self._once(("listing", table, namespace), super().listing, table, namespace)

    def units(self) -> Dict[str, Unit]:
        return self._once("units", lambda: _units(commands.run([*_SHOW, _OWN + "*"])))

    def unit(self, name: str) -> Optional[Unit]:
        return self.units().get(name) if name.startswith(_OWN) else self._once(("unit", name), super().unit, name)

    def members(self, name: str) -> Optional[List[str]]:
        return self._once("sets", lambda: _sets(commands.run(["ipset", "save"]))).get(name)

    def ask(self, name: str, read: Callable[[], T]) -> T:
        return self._once(("asked", name), read)

    def filter(self, name: str) -> Optional[str]:
        return self._once("filters", self._filters).get(name)

    def _filters(self) -> Dict[str, str]:
        return {one.name(): one.XMLDesc() for one in self._connection().listAllNWFilters()}


def _ip(lines: Sequence[str], namespace: str = "") -> List[List[Dict[str, Any]]]:
    """Several queries to one program, with one answer for each."""
    inside = ["-netns", namespace] if namespace else []
    out = commands.run(["ip", *inside, "-json", "-details", "-batch", "-"], feed="\n".join(lines) + "\n")
    found, at, decoder = [], 0, json.JSONDecoder()
    while at < len(out.rstrip()):
        one, at = decoder.raw_decode(out, at + len(out[at:]) - len(out[at:].lstrip()))
        found.append(one)
    if len(found) != len(lines):
        raise Failed(
            BAD_ANSWER,
            "`ip` gave {0} answers to {1} questions. Update iproute2 on this host.".format(len(found), len(lines)),
        )
    return found


def _named(links: Iterable[Link], addresses: Iterable[Mapping[str, Any]]) -> Dict[str, Link]:
    has = {one["ifname"]: one.get("addr_info", []) for one in addresses if "ifname" in one}
    return {one["ifname"]: dict(one, addr_info=has.get(one["ifname"], [])) for one in links if "ifname" in one}


def _here() -> Tuple[Dict[str, Link], Dict[str, Dict[str, str]]]:
    links, addresses, neighbours = _ip(["link show", "address show", "neighbour show nud permanent"])
    by: Dict[str, List[Dict[str, Any]]] = {}
    for one in neighbours:
        by.setdefault(one.get("dev", ""), []).append(one)
    return _named(links, addresses), {device: _pairs(entries) for device, entries in by.items()}


def _within(namespace: str) -> Tuple[Dict[str, Link], List[Dict[str, Any]]]:
    links, addresses, routes = _ip(["link show", "address show", "route show table all"], namespace)
    return _named(links, addresses), routes


def _pairs(entries: Iterable[Mapping[str, Any]]) -> Dict[str, str]:
    return {one["dst"]: one["lladdr"] for one in entries if "lladdr" in one}


def _forwarding() -> Dict[str, List[Dict[str, Any]]]:
    status, out, _said = commands.attempt(["bridge", "-json", "fdb", "show"])
    found: Dict[str, List[Dict[str, Any]]] = {}
    for one in json.loads(out or "[]") if status == 0 else []:
        found.setdefault(one.get("ifname", ""), []).append(one)
    return found


def _units(text: str) -> Dict[str, Unit]:
    found: Dict[str, Unit] = {}
    for block in text.strip().split("\n\n"):
        told = dict(line.partition("=")[::2] for line in block.splitlines())
        words = _ARGUMENTS.search(told.get("ExecStart", ""))
        if "Id" in told:
            found[told["Id"]] = Unit(told.get("ActiveState") == "active", words.group(1) if words else "")
    return found


def _sets(text: str) -> Dict[str, List[str]]:
    found: Dict[str, List[str]] = {}
    for words in (line.split() for line in text.splitlines()):
        if words[0] == "create":
            found[words[1]] = []
        elif words[0] == "add":
            found[words[1]].append(words[2])
    return {name: sorted(members) for name, members in found.items()}
