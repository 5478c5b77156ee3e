"""Reads everything that is recorded in one go, made for a hundred thousand resources.

Nothing is opened that need not be: a want's own fields stay text, bodies and strings are shared, and leases are
parsed as one JSON document.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from itertools import chain
from types import MappingProxyType
from typing import Any

from stead.core.address import Address, Known
from stead.core.collecting import no_collecting
from stead.core.observed import host_of
from stead.core.recorded import InFlight, KnownHost, Record, Recorded
from stead.core.want import Body, Want
from stead.store.database import Database, Row
from stead.store.init import unheard
from stead.store.lock import working
from stead.store.model import moment
from stead.store.sealing import Seal, of_body, of_leases, of_output, of_own

__all__ = ["moment", "read_bodies", "read_outputs", "read_record", "read_recorded"]

_NO_WANTS: Mapping[str, Want] = MappingProxyType({})
# Steps of the run that holds the lock are at work, not cut short.
_IN_FLIGHT = """
    SELECT s.run, s.number, s.address, s.host, s.action, s.began FROM steps s JOIN runs r ON r.id = s.run
    WHERE s.state = 'began' AND r.token <> ? ORDER BY s.run, s.number"""


def read_recorded(db: Database, seal: Seal, site: str) -> Recorded:
    with no_collecting(), db.reading():
        serial = int(db.rows("SELECT value FROM meta WHERE name = 'serial'")[0][0])
        addresses = Known()
        resources = _records(db, seal, addresses, _wants(db, seal, read_bodies(db, seal)))
        in_flight = tuple(
            InFlight(run=run, step=step, address=addresses[address], host=host, action=action, since=moment(began))
            for run, step, address, host, action, began in db.rows(_IN_FLIGHT, (working(db),))
        )
        outputs = read_outputs(db, seal)
        tokens = frozenset(row[0] for row in db.rows("SELECT token FROM runs"))
        silent = unheard(db)
        documented = frozenset(row[0] for row in db.rows("SELECT DISTINCT project FROM documents"))
        hosts = {
            name: KnownHost(host_of(json.loads(facts)), dead, *_drained(drained))
            for name, facts, dead, drained in db.rows("SELECT name, facts, dead, drained FROM hosts ORDER BY name")
        }
    return Recorded(
        serial=serial,
        site=site,
        resources=resources,
        in_flight=in_flight,
        outputs=outputs,
        tokens=tokens,
        unheard=silent,
        hosts=hosts,
        documented=documented,
    )


def _drained(text: str) -> tuple[str, tuple[str, ...]]:
    who, displaced = json.loads(text) if text else ("", ())
    return who, tuple(displaced)


def read_outputs(db: Database, seal: Seal) -> dict[str, Any]:
    rows = db.rows("SELECT name, value FROM outputs ORDER BY name")
    return {name: json.loads(seal.open(value, of_output(name)))[0] for name, value in rows}


def read_record(db: Database, seal: Seal, address: Address) -> Record | None:
    with db.reading():
        rows = db.rows("SELECT id FROM resources WHERE address = ?", (str(address),))
        if not rows:
            return None
        where = rows[0][0]
        found = db.rows("SELECT host, body, own, digest FROM wants WHERE resource = ? ORDER BY host", (where,))
        bodies = read_bodies(db, seal, [row[1] for row in found])
        wants = {
            host: Want(bodies[body], seal.open(own, of_own(address, host, digest)), digest)
            for host, body, own, digest in found
        }
        return next(iter(_records(db, seal, Known(), {where: wants}, f"WHERE id = {int(where)}").values()))


def read_bodies(db: Database, seal: Seal, only: list[int] | None = None) -> dict[int, Body]:
    every = "SELECT id, digest, content FROM bodies"
    portions = db.portions(every) if only is None else (db.rows(f"{every} WHERE id = ?", (one,)) for one in set(only))
    return {
        number: Body(seal.open(content, of_body(digest)), digest)
        for rows in portions
        for number, digest, content in rows
    }


def _wants(db: Database, seal: Seal, bodies: Mapping[int, Body]) -> dict[int, dict[str, Want]]:
    found: dict[int, dict[str, Want]] = {}
    names: dict[str, str] = {}
    current = -1
    inner: dict[str, Want] = {}
    open_text = seal.open
    plain = seal.plain
    addresses: dict[int, str] = {} if plain else dict(db.rows("SELECT id, address FROM resources"))
    every = db.portions("SELECT resource, host, body, own, digest FROM wants ORDER BY resource, host")
    for resource, host, body, own, digest in chain.from_iterable(every):
        if resource != current:
            current = resource
            inner = found[resource] = {}
        if not plain:
            own = open_text(own, of_own(addresses[resource], host, digest))  # noqa: PLW2901
        inner[names.setdefault(host, host)] = Want(bodies[body], own, digest)
    return found


def _records(
    db: Database, seal: Seal, addresses: Known, wants: Mapping[int, Mapping[str, Want]], where: str = ""
) -> dict[Address, Record]:
    names: dict[str, str] = {}
    behind: dict[str, tuple[Address, ...]] = {}  # members of a block refer to the same
    resources: dict[Address, Record] = {}
    every = db.portions(f"SELECT id, address, host, leases, behind, protect, reason FROM resources {where}")  # noqa: S608
    leased = chain.from_iterable(_leased(rows, seal) for rows in every)
    for (number, text, host, _, refs, protect, reason), lease in leased:
        address = addresses[text]
        after = behind.get(refs)
        if after is None:
            after = behind[refs] = tuple([addresses[one] for one in json.loads(refs)])
        resources[address] = Record(
            address=address,
            leases=lease,
            host=names.setdefault(host, host),
            wants=wants.get(number, _NO_WANTS),
            after=after,
            protect=bool(protect),
            reason=names.setdefault(reason, reason),
        )
    return resources


def _leased(rows: Sequence[Row], seal: Seal) -> Iterator[tuple[Row, dict[str, str]]]:
    texts = [seal.open(row[3], of_leases(row[1])) for row in rows]
    return zip(rows, json.loads(f"[{','.join(texts)}]"), strict=True)
