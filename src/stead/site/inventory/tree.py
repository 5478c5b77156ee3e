"""An inventory as Ansible means it: groups, hosts and variables, merged by Ansible's rules of precedence.

It knows no Stead. Hosts with the same groups and no variables of their own share one dictionary of variables: ten
thousand alike hosts cost one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from stead.core.value import field, mutable

ALL, UNGROUPED = "all", "ungrouped"
_PRIORITY = "ansible_group_priority"

Variables = dict[str, Any]


@mutable
class InventoryGroup:
    name: str
    variables: Variables = field(default_factory=dict)  # written in the inventory
    beside: Variables = field(default_factory=dict)  # of group_vars/
    children: list[str] = field(default_factory=list)


@mutable
class HostEntry:
    groups: set[str] = field(default_factory=set)  # those that name it
    variables: Mapping[str, Any] = field(default_factory=dict)
    beside: Variables = field(default_factory=dict)  # of host_vars/


class Tree:
    def __init__(self) -> None:
        self.groups: dict[str, InventoryGroup] = {ALL: InventoryGroup(ALL)}
        self.hosts: dict[str, HostEntry] = {}

    def group(self, name: str) -> InventoryGroup:
        found = self.groups.get(name)
        if found is None:
            found = self.groups[name] = InventoryGroup(name)
        return found

    def add_host(self, name: str, group: str, variables: Mapping[str, Any] | None = None) -> None:
        entry = self.hosts.get(name)
        if entry is None:
            entry = self.hosts[name] = HostEntry()
        entry.groups.add(group)
        if variables:  # the same object for all hosts of a range, so that alike hosts can be known as such
            entry.variables = {**entry.variables, **variables} if entry.variables else variables

    def resolved(self) -> Iterator[tuple[str, frozenset[str], Mapping[str, Any]]]:
        """Every host with all its groups, parents too, and its variables. In the order of the inventory."""
        parents = self._parents()
        depths = self._depths(parents)
        ancestry: dict[frozenset[str], tuple[frozenset[str], Variables]] = {}
        shared: dict[tuple[frozenset[str], int], Mapping[str, Any]] = {}
        for name, entry in self.hosts.items():
            direct = frozenset(entry.groups)
            known = ancestry.get(direct)
            if known is None:
                every = self._ancestry(direct, parents)
                known = ancestry[direct] = (every, self._merged(every, depths))
            groups, variables = known
            if entry.beside:
                yield name, groups, {**variables, **entry.variables, **entry.beside}
                continue
            alike = (direct, id(entry.variables) if entry.variables else 0)
            if alike not in shared:
                shared[alike] = {**variables, **entry.variables}
            yield name, groups, shared[alike]

    def _parents(self) -> dict[str, list[str]]:
        parents: dict[str, list[str]] = {}
        for group in self.groups.values():
            for child in group.children:
                parents.setdefault(child, []).append(group.name)
        return parents

    def _depths(self, parents: Mapping[str, list[str]]) -> dict[str, int]:
        depths: dict[str, int] = {}

        def depth(name: str, seen: tuple[str, ...]) -> int:
            if name == ALL or name in seen:
                return 0
            if name not in depths:
                above = parents.get(name, [ALL])
                depths[name] = 1 + max(depth(one, (*seen, name)) for one in above)
            return depths[name]

        for name in self.groups:
            depth(name, ())
        return depths

    def _ancestry(self, direct: frozenset[str], parents: Mapping[str, list[str]]) -> frozenset[str]:
        found: set[str] = set()
        stack = [*direct, ALL]
        while stack:
            name = stack.pop()
            if name not in found:
                found.add(name)
                stack += parents.get(name, ())
        return frozenset(found)

    def _merged(self, names: frozenset[str], depths: Mapping[str, int]) -> Variables:
        """Deeper groups over their parents; and all that stands beside the inventory over all that is in it."""
        groups = [self.group(name) for name in names if name != ALL]
        groups.sort(key=lambda one: (depths.get(one.name, 1), _priority(one), one.name))
        groups.insert(0, self.groups[ALL])
        merged: Variables = {}
        for group in groups:
            merged.update(group.variables)
        for group in groups:
            merged.update(group.beside)
        return merged


_LONGEST = 10  # digits; nobody has more groups to put in order


def _priority(group: InventoryGroup) -> int:
    text = str(group.beside.get(_PRIORITY, group.variables.get(_PRIORITY, 1)))
    return int(text) if text.isdigit() and text.isascii() and len(text) < _LONGEST else 1
