# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What the host code of this version can do: one table, for real hosts, simulated hosts, the planner and the docs.

It is about code. What a host's own kernel, firmware and programs can do, the host finds out and reports. A test calls
the host code for each row, so no row can be wrong for long. Standard library only, Python 3.9: it also lies on hosts.
"""

from __future__ import annotations

from typing import Any, Iterator, Mapping, NamedTuple, Tuple

ACTION = "steps with action"
# Of a pool, by its type.
VOLUME = "volumes"
QCOW2 = "volumes in format qcow2"
ROOT_DISK = "root disks"
GROW = "volumes that grow in use"
SNAPSHOT = "snapshots"
FREEZE = "snapshots with freeze: true"
SERVE = "instances on other hosts use its volumes"

OF_POOLS = (VOLUME, QCOW2, ROOT_DISK, GROW, SNAPSHOT, FREEZE, SERVE)
ROWS = (*OF_POOLS, ACTION)


class Ability(NamedTuple):
    what: str  # one of ROWS
    name: str  # of the pool's type, the action
    can: bool
    text: str = ""  # where it can: what is to be known of it; where it cannot: that, and what to do instead
    rehearsed: bool = False  # simulated hosts do it all the same, and a plan for them says so


_UNTRIED = "not tried on a real host yet"
_RAW = "Volumes in pools of this type are raw. Write `format: raw`, or leave `format` out."
_ROOT = (
    "Pools of this type hold no root disks. Make a volume `from: {image: …}` there, and boot from it: `boot_volume`."
)
_OWN_HOST = "Only instances on the host that keeps the pool use it."
_NO_FREEZE = (
    "Only in pools of type dir are guests asked to freeze their file systems. Set `freeze: false`, and stop the "
    "instance or have it write everything out before."
)
_LOGICAL = ("lvm", "lvm-thin")

TABLE = (
    *(Ability(VOLUME, name, True) for name in ("dir", "nfs", "iscsi")),
    *(Ability(VOLUME, name, True, _UNTRIED) for name in _LOGICAL),
    Ability(QCOW2, "dir", True),
    *(Ability(QCOW2, name, False, _RAW) for name in ("nfs", "iscsi", *_LOGICAL)),
    Ability(ROOT_DISK, "dir", True),
    *(Ability(ROOT_DISK, name, False, _ROOT) for name in ("nfs", "iscsi")),
    *(Ability(ROOT_DISK, name, True, _UNTRIED) for name in _LOGICAL),
    *(Ability(GROW, name, True) for name in ("dir", "nfs", "iscsi")),
    *(Ability(GROW, name, True, _UNTRIED) for name in _LOGICAL),
    *(Ability(SNAPSHOT, name, True) for name in ("dir", "nfs", "iscsi")),
    *(Ability(SNAPSHOT, name, True, _UNTRIED) for name in _LOGICAL),
    Ability(FREEZE, "dir", True, "with a guest agent"),
    *(Ability(FREEZE, name, False, _NO_FREEZE) for name in ("nfs", "iscsi", *_LOGICAL)),
    *(Ability(SERVE, name, True) for name in ("nfs", "iscsi")),
    *(Ability(SERVE, name, False, _OWN_HOST) for name in ("dir", *_LOGICAL)),
    *(
        Ability(ACTION, name, True)
        for name in ("create", "update", "reboot", "rebuild", "replace", "destroy", "forget", "accept", "register")
    ),
    Ability(
        ACTION,
        "migrate",
        False,
        "This version moves no running instance to another host. Write `host:` with the host where it is, or make it "
        "anew on the other one with `--replace`: what is on volumes in served pools stays.",
        rehearsed=True,
    ),
)
_BY_NAME = {(one.what, one.name): one for one in TABLE}


def row(what: str, name: str) -> Ability:
    """What nobody has written down, nobody has code for."""
    found = _BY_NAME.get((what, name))
    return found or Ability(what, name, False, "This version has no code for {0} {1}.".format(what, name))


def able(what: str) -> Tuple[str, ...]:
    return tuple(one.name for one in TABLE if one.what == what and one.can)


def asked(kind: str, want: Mapping[str, Any]) -> Iterator[Tuple[str, str]]:
    """(what, name): the rows that a host needs for this want."""
    pool = (want.get("pool") or {}).get("type", "dir")
    if kind == "volumes":
        yield VOLUME, pool
        if want.get("format") == "qcow2":
            yield QCOW2, pool
    elif kind == "snapshots":
        yield SNAPSHOT, pool
        if want.get("freeze"):
            yield FREEZE, pool
    elif kind == "instances":
        root = want.get("root") or {}
        if root.get("swap") or root.get("ephemeral") or (root.get("size") and "volume" not in root):
            yield ROOT_DISK, (root.get("pool") or {}).get("type", "dir")


def refusal(kind: str, want: Mapping[str, Any]) -> str:
    """Why no host makes it; empty where hosts do."""
    return next((one.text for one in (row(*words) for words in asked(kind, want)) if not one.can), "")
