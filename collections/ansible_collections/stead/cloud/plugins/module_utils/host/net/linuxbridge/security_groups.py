"""A security group is a filter of libvirt's, which those of interfaces refer to, and sets of addresses of the kernel's.

What it lets through is planned; here it is done.
"""

from __future__ import annotations

import os
import threading
from typing import List, Sequence

from ...base import ledger, paths
from ...base.libvirt_client import connection
from ...base.readings import Readings
from ...base.step import Want
from ...base.work import Work
from .. import rules
from . import filters

FILTERS = paths.ROOT + "/filters"
_defining = threading.Lock()


def ensure(want: Want, work: Work) -> None:
    for other, addresses in sorted(want["sets"].items()):
        _set(other, addresses, work)
    group, stateful = want["name"], want.get("stateful", True)
    with work.part("filter"):
        define(filters.group_name(group), filters.group(group, want["rules"], stateful), work)


def is_there(want: Want, now: Readings) -> bool:
    return now.filter(filters.group_name(want["name"])) is not None


def remove(have: Want, work: Work) -> None:
    if "name" not in have:  # by which its filter is called
        return
    undefine(filters.group_name(have["name"]), work)
    for other in have["sets"]:
        if not _users(other, have["name"]):
            _drop_sets(other, work)


def restore(want: Want, _held: bool, work: Work) -> None:
    """libvirt keeps its filters over a reboot; the sets that they name are the kernel's, which does not."""
    for other, addresses in sorted(want["sets"].items()):
        _set(other, addresses, work)


def path_of(name: str) -> str:
    return os.path.join(FILTERS, name + ".xml")


def define(name: str, text: str, work: Work) -> None:
    """libvirt gives a filter back in words of its own: what it was given, and said then, is kept beside."""
    path = path_of(name)
    with _defining:
        there = work.now.filter(name)
        if there is not None and paths.read_bytes(path) == text.encode() and _kept(path, there, work):
            return
        work.act("define filter " + name, connection(work.sessions).nwfilterDefineXML, text)
        work.directory(FILTERS)
        if not work.check:
            paths.write(path, text)
            paths.write(path + rules.SEEN, rules.digest([work.now.filter(name)]))


def _kept(path: str, there: str, work: Work) -> bool:
    kept = paths.read_bytes(path + rules.SEEN)
    return kept == rules.digest([there]) if kept is not None else work.check


def undefine(name: str, work: Work) -> None:
    if work.now.filter(name) is not None:
        work.act("undefine filter " + name, connection(work.sessions).nwfilterLookupByName(name).undefine)
    if not work.check:
        for path in (path_of(name), path_of(name) + rules.SEEN):
            paths.remove(path)


def _set(group: str, addresses: Sequence[str], work: Work) -> None:
    """Filled beside and exchanged, so that no packet meets half a set."""
    for version, family in ((4, "inet"), (6, "inet6")):
        name = filters.set_name(group, version)
        members = sorted(one for one in addresses if (":" in one) == (version == 6))
        has = work.now.members(name)
        if has == members:
            continue
        new = name + "-n"
        lines = ["create {0} hash:net family {1}".format(one, family) for one in (name, new)]
        lines += ["flush " + new] + ["add {0} {1}".format(new, one) for one in members]
        lines += ["swap {0} {1}".format(new, name), "destroy " + new]
        with work.part("sets", group, sorted(set(has or ()) | (set(addresses) - set(members)))):
            work.run(["ipset", "-exist", "restore"], feed="\n".join(lines) + "\n")


def _drop_sets(group: str, work: Work) -> None:
    for version in (4, 6):
        name = filters.set_name(group, version)
        if work.now.members(name) is not None:
            work.run(["ipset", "destroy", name])


def _users(other: str, group: str) -> List[str]:
    """Other groups on this host whose rules name it."""
    wants = [one["want"] for one in ledger.everything("security_groups")]
    wants += [one["want"]["default_group"] for one in ledger.everything("projects") if "default_group" in one["want"]]
    return [one["name"] for one in wants if one["name"] != group and other in one.get("sets", {})]
