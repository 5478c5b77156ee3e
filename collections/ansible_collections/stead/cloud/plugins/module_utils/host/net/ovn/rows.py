"""Rows of OVN's northbound database that belong to a resource: compared as a whole, and changed in one transaction.

Each row carries the UUID of its resource and a key of its own. What is there and is not wanted goes. So a killed run
leaves all or nothing of a resource, and what somebody else changed is seen by the same comparison.
"""

from __future__ import annotations

import threading
from hashlib import blake2b
from typing import Any, Callable, Dict, FrozenSet, Iterable, List, Mapping, NamedTuple, Optional, Sequence, Tuple

from ...base.work import Work
from . import ovsdb
from .ovsdb import Atom, Named, Operation, OvsdbDatabase, Value

NORTHBOUND = OvsdbDatabase("OVN_Northbound", "/run/ovn/ovnnb_db.sock")
OWNER, KEY = "stead", "stead-key"  # in a row's external_ids
# Tables in which a resource has rows; those without a name of their own are reached from others.
TABLES = (
    "ACL",
    "Address_Set",
    "DHCP_Options",
    "DNS",
    "HA_Chassis",
    "HA_Chassis_Group",
    "Logical_Router",
    "Logical_Router_Port",
    "Logical_Router_Static_Route",
    "Logical_Switch",
    "Logical_Switch_Port",
    "NAT",
    "Port_Group",
)
Place = Tuple[str, str]  # table, key
Part = Tuple[str, Optional[str]]  # field of a want, and key in it


class RowLink(NamedTuple):
    """In a column: another row of the same resource."""

    table: str
    key: str


class WantedRow(NamedTuple):
    table: str
    key: str
    columns: Mapping[str, Any]  # a RowLink may stand for a UUID
    part: Part


Existing = Dict[Place, ovsdb.Row]
# The steps of a host are done a few at once, and one may make what another has just missed.
_changing = threading.Lock()


def nothing_more(_there: Existing, _work: Work) -> List[Operation]:
    return []


def reconcile(
    owner: str,
    wanted: Sequence[WantedRow],
    rest: Part,
    work: Work,
    more: Callable[[Existing, Work], List[Operation]] = nothing_more,
) -> None:
    """`rest` is what a row concerns that is there and nobody wants; `more` is done in the same transaction."""
    with _changing:
        there = existing(owner, work)
        operations = [*_changed(owner, wanted, there, work), *_gone(wanted, there, rest, work), *more(there, work)]
        if operations and not work.check:
            NORTHBOUND.transact(operations)


def existing(owner: str, work: Work) -> Existing:
    """Of one resource. A whole host is compared with what is read once."""
    return work.now.ask("northbound", _everything).get(owner, {}) if work.check else _of(owner)


def _of(owner: str) -> Existing:
    own = [ovsdb.includes("external_ids", {OWNER: owner})]
    return {place: row for _owner, place, row in _read(dict.fromkeys(TABLES, own))}


def _everything() -> Dict[str, Existing]:
    found: Dict[str, Existing] = {}
    for owner, place, row in _read({name: [] for name in TABLES}):
        found.setdefault(owner, {})[place] = row
    return found


def _read(tables: Mapping[str, Sequence[Any]]) -> Iterable[Tuple[str, Place, ovsdb.Row]]:
    for table, rows in NORTHBOUND.select(tables).items():
        for row in rows:
            ids: Any = row["external_ids"]
            if OWNER in ids and KEY in ids:
                yield ids[OWNER], (table, ids[KEY]), row


def _changed(owner: str, wanted: Sequence[WantedRow], there: Existing, work: Work) -> List[Operation]:
    found: List[Operation] = []
    for one in wanted:
        place = (one.table, one.key)
        before = there.get(place)
        columns = {name: _resolved(value, there) for name, value in one.columns.items()}
        row = {
            name: ovsdb.form_of(value)
            for name, value in columns.items()
            if before is None or not ovsdb.same(value, before[name])
        }
        if before is not None and not row:
            continue
        with work.part(*one.part):
            work.done.append("{0} {1} {2}".format("add" if before is None else "set", *place))
        if before is None:
            found.append(inserted(owner, place, row))
        else:
            found.append({"op": "update", "table": one.table, "where": _is(before), "row": row})
    return found


def inserted(owner: str, place: Place, row: Mapping[str, Any]) -> Operation:
    """`row` is in the protocol's form."""
    ids = ovsdb.form_of({OWNER: owner, KEY: place[1]})
    return {"op": "insert", "table": place[0], "uuid-name": _name(place), "row": {**row, "external_ids": ids}}


def _gone(wanted: Sequence[WantedRow], there: Existing, rest: Part, work: Work) -> List[Operation]:
    gone = sorted(there.keys() - {(one.table, one.key) for one in wanted})
    for place in gone:
        with work.part(*rest):
            work.done.append("delete {0} {1}".format(*place))
    return [{"op": "delete", "table": place[0], "where": _is(there[place])} for place in gone]


def _is(row: ovsdb.Row) -> List[Any]:
    return [ovsdb.equals("_uuid", row["_uuid"])]


def reference(place: Place, there: Existing) -> Atom:
    """Of a row that is there, or that the transaction inserts."""
    if place in there:
        found: Any = there[place]["_uuid"]
        return found  # type: ignore[no-any-return]
    return Named(_name(place))


def _name(place: Place) -> str:
    return "row_" + blake2b("/".join(place).encode(), digest_size=8).hexdigest()


def _resolved(value: Any, there: Existing) -> Value:
    if isinstance(value, RowLink):
        return reference((value.table, value.key), there)
    if isinstance(value, frozenset):
        ones: Iterable[Any] = (_resolved(one, there) for one in value)
        return frozenset(ones)
    found: Value = value
    return found


def links(table: str, keys: Iterable[str]) -> FrozenSet[RowLink]:
    return frozenset(RowLink(table, key) for key in keys)
