"""Carries out `Writes` in the order that they promise. The caller holds the transaction and the lock."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence

from stead.core.address import Address
from stead.core.recorded import KnownHost, Record
from stead.core.value import as_dict
from stead.core.want import Body, Want
from stead.store import metering
from stead.store.database import Database, dump
from stead.store.model import Began, Ended, Skipped, Writes
from stead.store.sealing import Seal, of_body, of_leases, of_output, of_own

_RECORD = """
    INSERT INTO resources (id, address, host, leases, behind, protect, reason) VALUES (?, ?, ?, ?, ?, ?, ?)
    ON CONFLICT (address) DO UPDATE SET host = excluded.host, leases = excluded.leases, behind = excluded.behind,
    protect = excluded.protect, reason = excluded.reason"""
_WANT = """
    INSERT INTO wants (resource, host, body, own, digest)
    SELECT id, CAST(? AS TEXT), CAST(? AS BIGINT), CAST(? AS TEXT), CAST(? AS TEXT) FROM resources WHERE address = ?
    ON CONFLICT (resource, host) DO UPDATE SET body = excluded.body, own = excluded.own, digest = excluded.digest"""
_NO_WANT = "DELETE FROM wants WHERE resource = (SELECT id FROM resources WHERE address = ?) AND host = ?"


class Pen:
    """Writes for one connection; remembers which bodies the store has."""

    def __init__(self, db: Database, seal: Seal) -> None:
        self._db, self._seal = db, seal
        self._bodies: dict[str, int] = {}

    def write(self, run: int, writes: Writes) -> None:
        db = self._db
        if writes.renamed:
            self._rename(writes.renamed)
            metering.rename(db, writes.renamed)
        if writes.records:
            self._records(writes.records)
        if writes.wants:
            self._wants(writes.wants)
        if writes.metered:
            metering.remember(db, writes.metered)
        if writes.gone:
            metering.forget(db, writes.gone)
            names = [(str(address),) for address in writes.gone]
            db.many("DELETE FROM wants WHERE resource = (SELECT id FROM resources WHERE address = ?)", names)
            db.many("DELETE FROM resources WHERE address = ?", names)
        self._journal(run, writes.began, writes.ended, writes.skipped)
        if writes.outputs is not None:
            db.run("DELETE FROM outputs")
            seal = self._seal
            rows = [(name, seal.close(dump([value]), of_output(name))) for name, value in writes.outputs.items()]
            db.many("INSERT INTO outputs (name, value) VALUES (?, ?)", rows)
        self._hosts(writes.hosts)
        lasting = writes.renamed or writes.records or writes.wants or writes.gone or writes.hosts
        if not run or lasting or writes.outputs is not None:
            bump(db)

    def _hosts(self, hosts: Mapping[str, KnownHost | None]) -> None:
        for name, one in hosts.items():
            self._db.run("DELETE FROM hosts WHERE name = ?", (name,))
            if one is not None:
                drained = dump([one.drained, one.displaced]) if one.drained or one.displaced else ""
                row = (name, dump(as_dict(one.host)), one.dead, drained)
                self._db.many("INSERT INTO hosts (name, facts, dead, drained) VALUES (?, ?, ?, ?)", [row])

    def forget_bodies(self) -> None:
        """After an undone transaction, what this remembers may not be in the store."""
        self._bodies.clear()

    def _records(self, records: Sequence[Record]) -> None:
        number = int(self._db.rows("SELECT coalesce(max(id), 0) FROM resources")[0][0])
        seal, plain = self._seal, self._seal.plain
        rows = []
        for record in records:
            number += 1  # taken only by those that are new
            leases = dump(dict(record.leases))
            rows.append(
                (
                    number,
                    str(record.address),
                    record.host,
                    leases if plain else seal.close(leases, of_leases(record.address)),
                    dump(list(map(str, record.after))) if record.after else "[]",
                    int(record.protect),
                    record.reason,
                )
            )
        self._db.many(_RECORD, rows)

    def _wants(self, wants: Sequence[tuple[Address, str, Want | None]]) -> None:
        self._new_bodies({want.body.digest: want.body for _, _, want in wants if want is not None})
        seal, plain, bodies = self._seal, self._seal.plain, self._bodies
        gone = [(str(address), host) for address, host, want in wants if want is None]
        there = [
            (
                host,
                bodies[want.body.digest],
                want.own if plain else seal.close(want.own, of_own(address, host, want.digest)),
                want.digest,
                str(address),
            )
            for address, host, want in wants
            if want is not None
        ]
        if gone:
            self._db.many(_NO_WANT, gone)
        if there:
            self._db.many(_WANT, there)

    def _new_bodies(self, bodies: Mapping[str, Body]) -> None:
        new = [body for digest, body in bodies.items() if digest not in self._bodies]
        if not new:
            return
        db = self._db
        if not self._bodies:
            self._bodies = {digest: number for number, digest in db.rows("SELECT id, digest FROM bodies")}
            new = [body for body in new if body.digest not in self._bodies]
        number = int(db.rows("SELECT coalesce(max(id), 0) FROM bodies")[0][0])
        numbered = dict(enumerate(new, number + 1))
        rows = [(at, body.digest, self._seal.close(body.text, of_body(body.digest))) for at, body in numbered.items()]
        db.many("INSERT INTO bodies (id, digest, content) VALUES (?, ?, ?)", rows)
        self._bodies.update((body.digest, at) for at, body in numbered.items())

    def _rename(self, renamed: Mapping[Address, Address]) -> None:
        """Under the new name; and in what others say they stand behind."""
        db = self._db
        names = {str(old): str(new) for old, new in renamed.items()}
        if not self._seal.plain:
            self._bind(names)
        # By way of names that nobody has, since a and b may change places.
        db.many("UPDATE resources SET address = ? WHERE address = ?", [(f"|{old}", old) for old in names])
        db.many("UPDATE resources SET address = ? WHERE address = ?", [(new, f"|{old}") for old, new in names.items()])
        changed = []
        for number, text in db.rows("SELECT id, behind FROM resources WHERE behind <> '[]'"):
            before = json.loads(text)
            after = [names.get(one, one) for one in before]
            if after != before:
                changed.append((dump(after), number))
        db.many("UPDATE resources SET behind = ? WHERE id = ?", changed)

    def _bind(self, names: Mapping[str, str]) -> None:
        """What is sealed for an old name, for the new one. Rows still have the old."""
        db, seal = self._db, self._seal
        leases, own = [], []
        for old, new in names.items():
            for number, text in db.rows("SELECT id, leases FROM resources WHERE address = ?", (old,)):
                leases.append((seal.close(seal.open(text, of_leases(old)), of_leases(new)), number))
                for host, mine, digest in db.rows("SELECT host, own, digest FROM wants WHERE resource = ?", (number,)):
                    opened = seal.open(mine, of_own(old, host, digest))
                    own.append((seal.close(opened, of_own(new, host, digest)), number, host))
        db.many("UPDATE resources SET leases = ? WHERE id = ?", leases)
        db.many("UPDATE wants SET own = ? WHERE resource = ? AND host = ?", own)

    def _journal(self, run: int, began: Sequence[Began], ended: Sequence[Ended], skipped: Sequence[Skipped]) -> None:
        db = self._db
        now = db.now()
        if began:
            rows: Iterable[Sequence[object]] = [
                (run, step, str(address), host, str(action), now) for step, address, host, action in began
            ]
            db.many(
                "INSERT INTO steps (run, number, address, host, action, state, began, error) "
                "VALUES (?, ?, ?, ?, ?, 'began', ?, '') ON CONFLICT (run, number) DO NOTHING",
                rows,
            )
        if ended:
            rows = [(str(state), now, error, run, step) for step, state, error in ended]
            db.many("UPDATE steps SET state = ?, ended = ?, error = ? WHERE run = ? AND number = ?", rows)
        if skipped:
            rows = [
                (run, step, str(address), host, str(action), now, now, why)
                for step, address, host, action, why in skipped
            ]
            db.many(
                "INSERT INTO steps (run, number, address, host, action, state, began, ended, error) "
                "VALUES (?, ?, ?, ?, ?, 'skipped', ?, ?, ?) "
                "ON CONFLICT (run, number) DO UPDATE SET state = excluded.state, error = excluded.error",
                rows,
            )


def bump(db: Database) -> None:
    db.run("UPDATE meta SET value = CAST(CAST(value AS BIGINT) + 1 AS TEXT) WHERE name = 'serial'")
