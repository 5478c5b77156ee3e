"""Keeps the store true while a run goes on: intent before a step, outcome after, and what follows for the record.

Decides what of a resource is recorded when; carries out nothing. A record exists from the run's start (its leases are
reserved then) until its last trace is gone. What a resource has had stays its own until all its steps are done: a run
killed in between must find it.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence

from stead.core.address import Address
from stead.core.effect import Action
from stead.core.metered import Metered
from stead.core.observed import StoreOrigin
from stead.core.recorded import Record, Recorded, dead_of, told_of_hosts
from stead.core.value import field, mutable, replace
from stead.core.want import Want
from stead.plan.model import Keep, Plan, Step
from stead.run.measuring import all_measured, measured, measured_record
from stead.runner import StepResult, StepStatus
from stead.store import Hold, Store
from stead.store.model import Began, Ended, Outcome, Skipped, Start, StepState, Writes

UUID = "uuid"
PAUSE = 0.1  # seconds between two writes of outcomes, when hosts answer by the thousand
_STATES = {StepStatus.DONE: StepState.DONE, StepStatus.FAILED: StepState.FAILED}


@mutable
class _Buffer:
    """What is to be written next, in one transaction."""

    renamed: dict[Address, Address] = field(default_factory=dict)
    records: dict[Address, Record] = field(default_factory=dict)
    wants: dict[tuple[Address, str], Want | None] = field(default_factory=dict)
    gone: dict[Address, None] = field(default_factory=dict)
    began: list[Began] = field(default_factory=list)
    ended: list[Ended] = field(default_factory=list)
    skipped: list[Skipped] = field(default_factory=list)
    metered: list[Metered] = field(default_factory=list)

    def writes(self) -> Writes:
        return Writes(
            renamed=self.renamed,
            records=list(self.records.values()),
            wants=[(address, host, want) for (address, host), want in self.wants.items()],
            gone=list(self.gone),
            began=self.began,
            ended=self.ended,
            skipped=self.skipped,
            metered=self.metered,
        )


def _comes_here(step: Step, keep: Keep, record: Record) -> bool:
    """Another one, or from a dead host: should that come back, this is where it is."""
    moved = step.host == keep.host != record.host
    return moved or record.leases.get(UUID) != keep.leases.get(UUID)


class RunJournal:
    def __init__(self, store: Store, hold: Hold, plan: Plan, recorded: Recorded) -> None:
        self.run = 0
        self.origin: StoreOrigin | None = None  # what hosts are told of the store and this run
        self.dead = dead_of(plan.silence, recorded.hosts)  # and of hosts that a person called dead
        self._store, self._hold, self._plan = store, hold, plan
        self._known, self._hosts_known = recorded.resources, recorded.hosts
        self._before = {new: old for old, new in plan.renames.items()}
        self._renamed: set[Address] = set()
        self._records: dict[Address, Record] = {}  # as they are now, of what the plan touches; by new address
        self._hosts: dict[Address, set[str]] = {}  # where it still is, of what is taken away
        self._left: dict[Address, int] = {}  # steps that are not done yet
        self._begun: set[Address] = set()
        self._buffer = _Buffer()
        self._last = 0.0

    def start(self, start: Start, proofs: Mapping[str, str]) -> int:
        """Begins the run, and reserves what its resources were given."""
        left = self._left
        for step in self._plan.steps:
            left[step.address] = left.get(step.address, 0) + 1
        for address in self._before:
            if address not in left:
                self._rename(address)
        for address, keep in self._plan.keeps.items():
            self._reserve(address, keep)
        buffer, self._buffer = self._buffer, _Buffer()
        hosts = told_of_hosts(self._plan.silence, self._hosts_known, start.who, proofs)
        self.run = self._store.start(self._hold, start, replace(buffer.writes(), hosts=hosts))
        self.origin = StoreOrigin(self._store.site, self._store.serial(), self._hold.token)
        return self.run

    def began(self, steps: Sequence[Step]) -> None:
        """Returns when it is written: only then may anything be touched."""
        self._begin(steps)
        self.flush()

    def ended(self, results: Iterable[StepResult]) -> None:
        steps = self._plan.steps
        buffer = self._buffer
        for number, state, error, _ in results:
            step = steps[number]
            if state is StepStatus.DONE:
                self._done(step)
            elif state is StepStatus.UNKNOWN:
                continue  # it stays in flight: the next plan looks what became of it
            elif state is StepStatus.SKIPPED:
                buffer.skipped.append(Skipped(number, step.address, step.host, step.action, error))
                continue
            buffer.ended.append(Ended(number, _STATES[state], error))
        if time.monotonic() - self._last > PAUSE:
            self.flush()

    def recorded_only(self, steps: Sequence[Step]) -> None:
        """Steps that touch no host: they are done by being written."""
        self._begin(steps)
        for step in steps:
            self._done(step)
            self._buffer.ended.append(Ended(step.number, StepState.DONE))
        self.flush()

    def skipped(self, steps: Iterable[tuple[Step, str]]) -> None:
        self._buffer.skipped += [Skipped(one.number, one.address, one.host, one.action, why) for one, why in steps]

    def flush(self) -> None:
        writes = self._buffer.writes()
        if writes:
            self._store.write(self._hold, self.run, writes)
            self._buffer = _Buffer()
        self._last = time.monotonic()

    def finish(self, outcome: Outcome) -> None:
        """What was reserved for what never began is free again."""
        for address in self._plan.keeps:
            if address not in self._begun and address in self._left and self._record_before(address) is None:
                self._buffer.gone[self._name(address)] = None
                self._buffer.records.pop(address, None)
        writes = self._buffer.writes()
        if outcome is Outcome.DONE:
            writes = replace(writes, outputs=self._plan.outputs)
        self._store.finish(self._hold, self.run, outcome, writes)
        self._buffer = _Buffer()

    # What follows for the record

    def _reserve(self, address: Address, keep: Keep) -> None:
        record = self._record_before(address)
        if not keep.leases:  # it is to go
            if record is not None:
                self._records[address] = record
            return
        exact = Record(
            address=self._name(address),
            leases=keep.leases,
            host=keep.host,
            after=keep.after,
            protect=keep.protect,
            reason=keep.reason,
        )
        if record is None or address not in self._left:
            self._write(address, exact)
            if record is not None and record.after != keep.after:  # another flavor of the same size
                one = measured_record(replace(exact, wants=record.wants))
                self._buffer.metered += [one] if one is not None else []
            return
        leases = record.leases
        if leases.get(UUID) == keep.leases.get(UUID):
            leases = {**keep.leases, **leases}  # what it has it keeps until its steps are done
        after = tuple(dict.fromkeys((*record.after, *keep.after)))
        meanwhile = replace(record, leases=leases, after=after, protect=record.protect or keep.protect)
        if (meanwhile.leases, meanwhile.after, meanwhile.protect) != (record.leases, record.after, record.protect):
            self._write(address, meanwhile)
        else:
            self._records[address] = record

    def _begin(self, steps: Sequence[Step]) -> None:
        self._buffer.began += [Began(one.number, one.address, one.host, one.action) for one in steps]
        for step in steps:
            address = step.address
            self._begun.add(address)
            if step.action is Action.CREATE:
                keep, record = self._plan.keeps.get(address), self._records.get(address)
                if keep and record and keep.leases and _comes_here(step, keep, record):
                    # The successor's life begins here; were it later, a killed run would leave one that nobody knows.
                    self._write(address, replace(record, leases=keep.leases, host=keep.host))
            elif step.to:
                self._want(address, step.to, step.want)  # should that host go silent, it may have it

    def _done(self, step: Step) -> None:
        address = step.address
        self._left[address] -= 1
        match step.action:
            case Action.FORGET:
                self._gone(address)
                return
            case Action.DESTROY:
                self._want(address, step.host, None)
            case Action.MIGRATE if step.to:
                self._want(address, step.host, None)
                self._want(address, step.to, step.want)
                if (record := self._records.get(address)) is not None:
                    self._write(address, replace(record, host=step.to))
            case _:
                self._want(address, step.host, step.want)
        self._measure(step)
        if not self._left[address]:
            self._complete(address)

    def _measure(self, step: Step) -> None:
        """What is left of it on no host takes nothing, and what is cleared off one of several hosts goes on."""
        address = step.address
        name = self._name(address)
        if not self._hosts[address]:
            self._buffer.metered.append(Metered(name, step.uuid))
        elif step.want is not None:
            keep, record = self._plan.keeps.get(address), self._record_before(address)
            refers = keep.after if keep is not None else record.after if record is not None else ()
            if (one := measured(name, step.uuid, step.want, refers)) is not None:
                self._buffer.metered.append(one)

    def _want(self, address: Address, host: str, want: Want | None) -> None:
        self._buffer.wants[self._name(address), host] = want
        hosts = self._hosts.get(address)
        if hosts is None:
            before = self._record_before(address)
            hosts = self._hosts[address] = set(before.wants) if before is not None else set()
        (hosts.discard if want is None else hosts.add)(host)

    def _complete(self, address: Address) -> None:
        """All its steps are done: now the record is what the plan says, and what it no longer needs is released."""
        keep = self._plan.keeps.get(address)
        if keep is None:
            return
        if not keep.leases:
            if not self._hosts.get(address):
                self._gone(address)
            return
        if address in self._before and address not in self._renamed:
            self._rename(address)
        record = self._records.get(address)
        exact = (keep.leases, keep.host, keep.after, keep.protect, keep.reason)
        if record is None or (record.leases, record.host, record.after, record.protect, record.reason) != exact:
            leases, host, after, protect, reason = exact
            name = self._name(address)
            self._write(
                address,
                Record(address=name, leases=leases, host=host, after=after, protect=protect, reason=reason),
            )

    def _write(self, address: Address, record: Record) -> None:
        self._records[address] = record
        self._buffer.records[address] = replace(record, address=self._name(address))

    def _gone(self, address: Address) -> None:
        name = self._name(address)
        self._buffer.gone[name] = None
        self._buffer.records.pop(address, None)
        for place in [place for place in self._buffer.wants if place[0] == name]:
            del self._buffer.wants[place]

    def _rename(self, address: Address) -> None:
        """Only when its hosts have the new name too, so that one the run left behind is still found by the old."""
        old = self._before[address]
        self._renamed.add(address)
        buffer = self._buffer
        buffer.renamed[old] = address
        if address in buffer.records:
            buffer.records[address] = replace(buffer.records[address], address=address)
        for name, host in [place for place in buffer.wants if place[0] == old]:
            buffer.wants[address, host] = buffer.wants.pop((name, host))
        buffer.metered = [one._replace(address=address) if one.address == old else one for one in buffer.metered]

    def _name(self, address: Address) -> Address:
        """The name that the store has it under now."""
        old = self._before.get(address)
        return address if old is None or address in self._renamed else old

    def _record_before(self, address: Address) -> Record | None:
        return self._known.get(self._before.get(address, address))


def of_waves(plan: Plan) -> Mapping[int, list[Step]]:
    waves: dict[int, list[Step]] = {}
    for step in plan.steps:
        waves.setdefault(step.wave, []).append(step)
    return dict(sorted(waves.items()))


def begin_metering(store: Store, hold: Hold) -> None:
    """In a store that an older version made. What there was before is not known."""
    if store.metered_since() is None:
        store.begin_metering(hold, list(all_measured(store.recorded())))
