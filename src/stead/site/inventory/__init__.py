"""Reads a standard Ansible inventory into hosts: what there is, before anyone has asked the machines.

Files of other people are read as Ansible reads them, with every format that Ansible has. What a host does not say here
(its vcpus, its memory) stays 0 and empty: the runner asks the host itself.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from stead.core.diagnostics import Code, Diagnostic, Place, Refused
from stead.core.observed import Host
from stead.core.value import field, value
from stead.site.inventory import variables as reading
from stead.site.inventory.backups import BACKUP, NOBODY_RUNS_IT, BackupPlace, backup_place_of
from stead.site.inventory.codes import BAD_NAME, BAD_VALUE, NO_HOSTS, UNKNOWABLE, UNKNOWN_VARIABLE, UNREADABLE
from stead.site.inventory.fences import FENCE, FenceVariables
from stead.site.inventory.serving import SERVE, ApiSettings, serving_of, together
from stead.site.inventory.tree import Tree
from stead.site.inventory.yaml_source import NotOurs, Vaulted, Wrong, read_into

__all__ = ["ROLES", "Inventory", "read_inventory"]

ROLES = frozenset({"controller", "compute", "storage", "network"})
LONGEST_NAME = 253  # as in DNS
SHOWN_OF_NAME = 40
SHOWN = 3  # hosts named in a message that concerns many


@value
class Inventory:
    """Hosts with a role, by name; and for each how Ansible reaches it (`ansible_…`)."""

    hosts: Mapping[str, Host]
    connections: Mapping[str, Mapping[str, Any]]
    sources: tuple[Path, ...]
    runners: frozenset[str] = frozenset()  # `stead_runner` of its hosts: "simulated"; empty means Ansible
    fences: Mapping[str, FenceVariables] = field(default_factory=dict, repr=False)  # of hosts with a `stead_fence`
    serving: Mapping[str, ApiSettings] = field(default_factory=dict)  # hosts that run the API
    backups: Mapping[str, BackupPlace] = field(default_factory=dict)  # hosts that keep backups


def read_inventory(sources: Sequence[Path]) -> tuple[Inventory, list[Diagnostic]]:
    """The inventory of all sources together. Empty, with the reason beside it, when they cannot be read."""
    empty = Inventory(hosts={}, connections={}, sources=tuple(sources))
    missing = [one for one in sources if not one.exists()]
    if missing:
        text = f"{missing[0]} does not exist. Give the path of an Ansible inventory: a file or a directory."
        return empty, [UNREADABLE.at(None, text)]
    try:
        tree, files = _read(sources)
    except Wrong as error:
        return empty, [error.diagnostic]
    except Refused as error:
        return empty, list(error.diagnostics)
    reader = _HostReader(files)
    for name, groups, variables in tree.resolved():
        roles = groups & ROLES
        if roles:  # others are none of Stead's business: the inventory is the whole site's
            reader.add(name, roles, variables, groups)
    if not reader.hosts:
        text = (
            f"{', '.join(map(str, sources))} has no host in a group {', '.join(sorted(ROLES))}. "
            "Put each host into the groups of its roles."
        )
        reader.found.append(NO_HOSTS.at(None, text))
    inventory = Inventory(
        hosts=reader.hosts,
        connections=reader.connections,
        sources=tuple(sources),
        runners=frozenset(reader.runners),
        fences=reader.fences,
        serving=reader.serving,
        backups=reader.backups,
    )
    return inventory, [*reader.found, *reader.told()]


def _read(sources: Sequence[Path]) -> tuple[Tree, list[Path]]:
    tree = Tree()
    try:
        return tree, [file for one in sources for file in read_into(tree, one)]
    except NotOurs:
        from stead.site.inventory.ansible_source import read_with_ansible

        return read_with_ansible(sources), []


class _HostReader:
    """Makes hosts of variables. Alike hosts are read once: variables that are the same object, or equal."""

    def __init__(self, files: Sequence[Path]) -> None:
        self.hosts: dict[str, Host] = {}
        self.connections: dict[str, Mapping[str, Any]] = {}
        self.runners: set[str] = set()
        self.fences: dict[str, FenceVariables] = {}
        self.serving: dict[str, ApiSettings] = {}
        self.backups: dict[str, BackupPlace] = {}
        self.found: list[Diagnostic] = []
        self._files = files
        self._known: dict[int, tuple[Mapping[str, Any], dict[str, Any], Mapping[str, Any]]] = {}
        self._wrong: dict[tuple[Code, str, str], list[str]] = {}  # (code, variable, what is wrong) -> hosts

    def add(self, name: str, roles: frozenset[str], variables: Mapping[str, Any], groups: frozenset[str]) -> None:
        if len(name) > LONGEST_NAME or not name.isprintable():
            text = (
                f"{name[:SHOWN_OF_NAME]!r}{'…' * (len(name) > SHOWN_OF_NAME)} should be up to {LONGEST_NAME} letters."
            )
            self.found.append(BAD_NAME.at(None, text))
            return
        known = self._known.get(id(variables))
        if known is None:
            known = (variables, *self._profile(name, variables, groups))
            if "{{" not in repr(_ours(variables)):  # a template may speak of the host, so it is this host's alone
                self._known[id(variables)] = known
        _, fields, connection = known
        self.hosts[name] = Host(name=name, roles=roles, **fields)
        self.runners.add(str(variables.get("stead_runner", "")))
        self.connections[name] = connection
        if FENCE in variables:
            self.fences[name] = FenceVariables(name, groups, variables)
        if SERVE in variables:
            self._add_serving(name, variables[SERVE], roles)
        if BACKUP in variables:
            try:
                self.backups[name] = backup_place_of(variables[BACKUP])
            except reading.Bad as error:
                self._wrong.setdefault((BAD_VALUE, BACKUP, str(error)), []).append(name)

    def _add_serving(self, name: str, given: Any, roles: frozenset[str]) -> None:
        try:
            if "controller" not in roles:
                raise reading.Bad("is for hosts of the group controller: put the host into it")  # noqa: TRY301
            self.serving[name] = serving_of(given)
        except reading.Bad as error:
            self._wrong.setdefault((BAD_VALUE, SERVE, str(error)), []).append(name)

    def _profile(
        self, name: str, variables: Mapping[str, Any], groups: frozenset[str]
    ) -> tuple[dict[str, Any], Mapping[str, Any]]:
        mine = _ours(variables)
        known = {key: value for key, value in mine.items() if key in reading.VARIABLES}
        if "{{" in repr(known):
            known = self._rendered(name, known, variables, groups)
        vaulted = [key for key, value in known.items() if isinstance(value, Vaulted)]
        for key in vaulted:
            self._wrong.setdefault((UNKNOWABLE, key, "is encrypted, and a plan needs its value"), []).append(name)
            del known[key]
        fields, wrong = reading.read(known)
        for key, detail in wrong:
            self._wrong.setdefault((BAD_VALUE, key, detail), []).append(name)
        for key in reading.unknown(mine):
            self._wrong.setdefault((UNKNOWN_VARIABLE, key, f"is no variable of Stead's.{_nearest(key)}"), []).append(
                name
            )
        connection = {key: value for key, value in variables.items() if str(key).startswith("ansible_")}
        reached = connection.get("ansible_host")
        if _is_address(reached) and fields.setdefault("underlay", reached) != reached:
            fields["management"] = reached
        return fields, connection

    def _rendered(
        self, name: str, known: Mapping[str, Any], variables: Mapping[str, Any], groups: frozenset[str]
    ) -> dict[str, Any]:
        from stead.site.inventory.templates import Unknown, render

        scope = {**variables, "inventory_hostname": name, "group_names": sorted(groups - {"all"})}
        found: dict[str, Any] = {}
        for key, given in known.items():
            try:
                found[key] = render(given, scope)
            except Unknown as error:
                self._wrong.setdefault((UNKNOWABLE, key, str(error)), []).append(name)
        return found

    def told(self) -> Iterable[Diagnostic]:
        """One diagnostic for one mistake, however many hosts share it."""
        if not self.serving:
            unserved = [name for name, place in self.backups.items() if place.at]
            if unserved:
                self._wrong[BAD_VALUE, BACKUP, NOBODY_RUNS_IT] = unserved
        for name, detail in together(self.serving, self.hosts):
            self._wrong.setdefault((BAD_VALUE, SERVE, detail), []).append(name)
        for (code, key, detail), hosts in self._wrong.items():
            who = ", ".join(hosts[:SHOWN]) + (f" and {len(hosts) - SHOWN} more" if len(hosts) > SHOWN else "")
            text = f"{key} of {who} {detail}".rstrip(".?") + ("?" if detail.endswith("?") else ".")
            yield code.at(self._place(key, hosts[0]), text, address=hosts[0])

    def _place(self, key: str, host: str) -> Place | None:
        from stead.site.inventory.places import place_of

        return place_of(self._files, key, host)


def _ours(variables: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in variables.items() if str(key).startswith(reading.PREFIX)}


def _is_address(value: Any) -> bool:
    try:
        ipaddress.ip_address(str(value or ""))
    except ValueError:
        return False
    return True


def _nearest(name: str) -> str:
    import difflib

    match = difflib.get_close_matches(name, reading.VARIABLES, n=1)
    return f" Did you mean {match[0]}?" if match else " docs/inventory.md lists them."
