"""What happened: runs, their journals, and the history of an address."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from stead.core.address import Address
from stead.store.database import Database, Row
from stead.store.lock import working
from stead.store.model import Event, JournalEntry, Outcome, RunInfo, StepState, Writes

_RUNS = """
    SELECT r.id, r.who, r.reason, r.plan, r.started, r.ended, r.outcome, r.steps,
        (SELECT count(*) FROM steps s WHERE s.run = r.id AND s.state = 'done'),
        (SELECT count(*) FROM steps s WHERE s.run = r.id AND s.state = 'failed'),
        (SELECT count(*) FROM steps s WHERE s.run = r.id AND s.state = 'skipped'),
        r.token
    FROM runs r"""
# Only steps of a run that goes on are counted: there may be a hundred thousand.
_PULSE = """
    SELECT coalesce(max(id), 0), (SELECT count(*) FROM runs WHERE outcome = 'running'),
        (SELECT count(*) FROM steps WHERE run IN (SELECT id FROM runs WHERE outcome = 'running')),
        (SELECT count(*) FROM steps WHERE state = 'began'), (SELECT count(*) FROM review_events)
    FROM runs"""
_OUTCOMES = "SELECT outcome, count(*) FROM runs GROUP BY outcome"
MOVED = "moved"


def runs(db: Database, limit: int) -> list[RunInfo]:
    at_work = working(db)
    return [_run(row, at_work) for row in db.rows(f"{_RUNS} ORDER BY r.id DESC LIMIT ?", (limit,))]


def pulse(db: Database) -> tuple[int, ...]:
    return tuple(map(int, db.rows(_PULSE)[0]))


def outcomes(db: Database) -> dict[Outcome, int]:
    """A run that does not hold the lock any more was killed."""
    counts = {Outcome(name): int(number) for name, number in db.rows(_OUTCOMES)}
    killed = int(db.rows("SELECT count(*) FROM runs WHERE outcome = 'running' AND token <> ?", (working(db),))[0][0])
    counts[Outcome.RUNNING] = counts.get(Outcome.RUNNING, 0) - killed
    counts[Outcome.KILLED] = counts.get(Outcome.KILLED, 0) + killed
    return {outcome: number for outcome, number in counts.items() if number}


def run(db: Database, number: int) -> RunInfo | None:
    rows = db.rows(f"{_RUNS} WHERE r.id = ?", (number,))
    return _run(rows[0], working(db)) if rows else None


def _run(row: Row, at_work: str) -> RunInfo:
    number, who, reason, plan, started, ended, outcome, steps, done, failed, skipped, token = row
    ending = Outcome(outcome)
    if ending is Outcome.RUNNING and token != at_work:
        ending = Outcome.KILLED
    return RunInfo(number, who, reason, plan, started, ended, ending, steps, done, failed, skipped)


def journal(db: Database, number: int) -> list[JournalEntry]:
    rows = db.rows(
        "SELECT run, number, address, host, action, state, began, ended, error FROM steps WHERE run = ? "
        "ORDER BY number",
        (number,),
    )
    return [
        JournalEntry(of, step, address, host, action, StepState(state), began, ended, error)
        for of, step, address, host, action, state, began, ended, error in rows
    ]


def history(db: Database, address: Address) -> list[Event]:
    """Names it had before are found by its renames; each name counts up to the moment that it was given up."""
    found: list[Event] = []
    name, until = str(address), float("inf")
    seen: set[str] = set()
    while name and name not in seen:
        seen.add(name)
        events = [one for one in _events(db, name) if one.at <= until]
        found += events
        renamed = [one for one in events if one.what == MOVED]
        name, until = (renamed[0].detail, renamed[0].at) if renamed else ("", 0.0)
    return sorted(found, key=lambda one: (one.at, one.run))


def events(db: Database, since: float, project: str | None) -> list[Event]:
    """Only runs that went on since then are looked into: a journal has millions of steps. What a killed run left is cut
    when the next one begins."""
    steps = db.rows(
        "SELECT s.ended, r.who, s.action, s.address, s.host, s.run, s.state, s.error "
        "FROM runs r JOIN steps s ON s.run = r.id WHERE (r.ended IS NULL OR r.ended >= ? OR EXISTS "
        "(SELECT 1 FROM runs n WHERE n.id = r.id + 1 AND n.started >= ?)) AND s.ended >= ? AND s.state <> 'skipped'",
        (since,) * 3,
    )
    by_hand = db.rows("SELECT at, who, what, address, detail FROM events WHERE at >= ?", (since,))
    found = [Event(*row) for row in steps]
    found += [Event(at, who, what, address, "", 0, "", detail) for at, who, what, address, detail in by_hand]
    mine = [one for one in found if project is None or one.address.startswith(f"{project}/")]
    return sorted(mine, key=lambda one: (one.at, one.run, one.address, one.host))


def _events(db: Database, name: str) -> list[Event]:
    steps = db.rows(
        "SELECT coalesce(s.ended, s.began), r.who, s.action, s.address, s.host, s.run, s.state, s.error "
        "FROM steps s JOIN runs r ON r.id = s.run WHERE s.address = ? AND s.state <> 'skipped'",
        (name,),
    )
    by_hand = db.rows("SELECT at, who, what, address, detail FROM events WHERE address = ?", (name,))
    events = [Event(*row) for row in steps]
    events += [Event(at, who, what, address, "", 0, "", detail) for at, who, what, address, detail in by_hand]
    return sorted(events, key=lambda one: one.at)


def remember_renames(db: Database, who: str, number: int, renamed: Mapping[Address, Address]) -> None:
    if not renamed:
        return
    if not who:
        who = str(db.rows("SELECT who FROM runs WHERE id = ?", (number,))[0][0])
    _remember(db, [(who, MOVED, str(new), str(old)) for old, new in renamed.items()])


def remember_edit(db: Database, who: str, what: str, writes: Writes) -> None:
    remember_renames(db, who, 0, writes.renamed)
    touched = [*(one.address for one in writes.records), *(one[0] for one in writes.wants), *writes.gone]
    _remember(db, [(who, what, str(address), "") for address in dict.fromkeys(touched)])


def _remember(db: Database, events: Sequence[tuple[str, str, str, str]]) -> None:
    now = db.now()
    db.many(
        "INSERT INTO events (at, who, what, address, detail) VALUES (?, ?, ?, ?, ?)",
        [(now, *event) for event in events],
    )
