"""Rows by which a router translates addresses: its own, and those of floating IPs, which come and go beside it."""

from __future__ import annotations

from typing import Any, Dict, List, Optional, Sequence, Set

from ...base.work import Work
from . import ovsdb, rows
from .rows import KEY, NORTHBOUND, OWNER, Existing

NAT, ROUTER = "NAT", "Logical_Router"


def of_router(router: str, work: Work) -> Optional[Set[Any]]:
    """UUIDs of what it translates by; None where there is no such router."""
    row = rows.existing(router, work).get((ROUTER, router))
    return None if row is None else _set(row["nat"])


def _set(value: Any) -> Set[Any]:
    return set(value) if isinstance(value, frozenset) else {value}


def attach(router: str, keys: Sequence[str], there: Existing, work: Work) -> List[ovsdb.Operation]:
    """Rows of one resource into its router, and those that go out of theirs."""
    has, found = of_router(router, work) or set(), detach(keys, there)
    for key in keys:
        row = rows.reference((NAT, key), there)
        if row not in has:
            work.done.append("put {0} into {1}".format(key, router))
            found += [
                *_out(row),
                _mutate("insert", row, [ovsdb.includes("external_ids", {OWNER: router, KEY: router})]),
            ]
    return found


def detach(keys: Sequence[str], there: Existing) -> List[ovsdb.Operation]:
    gone = [row["_uuid"] for (table, key), row in sorted(there.items()) if table == NAT and key not in keys]
    return [operation for uuid in gone for operation in _out(uuid)]


def strays(router: str, work: Work) -> List[ovsdb.Operation]:
    """What somebody else put into a router."""
    has = of_router(router, work) or set()
    unknown = has - (work.now.ask("translations", _known) if work.check else _known()) if has else set()
    work.done += ["take {0} out of {1}".format(one.text, router) for one in sorted(unknown)]
    return [operation for one in sorted(unknown) for operation in _out(one)]


def _known() -> Set[Any]:
    read: Dict[str, List[Any]] = NORTHBOUND.select({NAT: []})
    return {row["_uuid"] for row in read[NAT] if OWNER in row["external_ids"]}


def _out(row: Any) -> List[ovsdb.Operation]:
    """Of whichever router it is in."""
    if not isinstance(row, ovsdb.Uuid):
        return []
    return [_mutate("delete", row, [["nat", "includes", ovsdb.form_of(row)]])]


def _mutate(how: str, row: Any, where: List[Any]) -> ovsdb.Operation:
    change = ["nat", how, ovsdb.form_of(row)]
    return {"op": "mutate", "table": ROUTER, "where": where, "mutations": [change]}
