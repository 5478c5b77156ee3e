"""Chooses addresses, MACs, VNIs and UUIDs: what is fixed wins, what is recorded stays, the rest is the lowest free.

Deterministic: the order is that of addresses, identifiers come from a hash of the site and the address. A value held
by a resource that is about to leave, or to have another, is not given out again before that, unless the user fixed it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from typing import assert_never

from stead.blueprint.claims import LeaseClaim, same_identity
from stead.blueprint.lease_names import name_leases
from stead.blueprint.lease_values import fits, kept_back, number, uuid_of, within, writer
from stead.core.address import Address, order
from stead.core.blake2 import blake2b
from stead.core.by_hand import STATE
from stead.core.diagnostics import Code, Diagnostic, Severity
from stead.core.needs import Addresses, Borrowed, Macs, Names, Need, Numbers, Uuids
from stead.core.recorded import Record
from stead.core.value import field, mutable, value
from stead.language.desired import Block

TWICE = Code("STEAD-R020", "two resources request the same value")
TAKEN = Code("STEAD-R023", "a requested value belongs to another project")
DISPLACED = Code("STEAD-R022", "a requested value belonged to another resource", Severity.WARNING)
EXHAUSTED = Code("STEAD-R021", "no free value is left")

UUID, IDENTITY = "uuid", "identity"
OWN = (UUID, IDENTITY, STATE)  # no values that another could get


@mutable
class _Space:
    """What is taken in one space, and by whom. From a pool's first value up to its cursor, all is taken."""

    holders: dict[str | int, Address] = field(default_factory=dict)
    cursors: dict[int, int] = field(default_factory=dict)


@value
class Leases:
    of: Mapping[Address, Mapping[str, str]]
    takes_over: Mapping[Address, tuple[Address, ...]]  # may be made only when these are gone


def choose(
    claims: Sequence[LeaseClaim],
    records: Mapping[Address, Record],
    *,
    site: str,
    replace: frozenset[Address] = frozenset(),
    taken: Iterable[tuple[str, str, Address]] = (),
) -> tuple[Leases, list[Diagnostic]]:
    ordered = sorted(
        (one for one in claims if one.block.members), key=lambda one: (not one.lends, order(one.block.members[0]))
    )
    chooser = _Chooser(site=site, records=records, replace=replace)
    chooser.remember_leaving(ordered)
    for space, text, holder in taken:  # by what stays, and is no resource any more
        chooser.take(space, text, holder)
    for settle in (chooser.fix, chooser.keep, chooser.fill, chooser.borrow):
        for one in ordered:
            settle(one)
    chooser.diagnostics += name_leases(ordered, records, chooser.chosen)
    return Leases(of=_unchanged(chooser.chosen, records), takes_over=chooser.takes_over), chooser.diagnostics


def _unchanged(
    chosen: dict[Address, dict[str, str]], records: Mapping[Address, Record]
) -> Mapping[Address, Mapping[str, str]]:
    """What is as it was recorded, most of it, is not kept twice."""
    before = {address: record.leases for address in chosen if (record := records.get(address)) is not None}
    return {address: before[address] if before.get(address) == leases else leases for address, leases in chosen.items()}


def derived(site: str, address: Address, previous: str) -> str:
    """The UUID of what comes after `previous`, or of the first one: whoever knows all three can prove it."""
    return uuid_of(blake2b(f"{site}\0{address}\0{previous}".encode(), digest_size=16).hexdigest())


class _Chooser:
    """The tables of one call of `choose`."""

    def __init__(self, *, site: str, records: Mapping[Address, Record], replace: frozenset[Address]) -> None:
        self.site, self.records, self.replace = site, records, replace
        self.spaces: dict[str, _Space] = {}
        self.chosen: dict[Address, dict[str, str]] = {}
        self.takes_over: dict[Address, tuple[Address, ...]] = {}
        self.diagnostics: list[Diagnostic] = []
        self.leaving: dict[str | int, Address] = {}
        self.fixed: set[tuple[str, str | int]] = set()
        self.asking: dict[Address, Block] = {}  # of project files
        self.lent: dict[tuple[Address, str], Need] = {}
        self._holders_before: dict[str, list[Address]] | None = None  # made when it is first asked

    def remember_leaving(self, claims: Sequence[LeaseClaim]) -> None:
        """A record does not say in which space a value stood, so a leaving one is kept from all of them."""
        for one in claims:
            for address in one.block.members:
                self.chosen[address] = {}
                self.lent.update(((address, need.key), need) for need in one.needs if one.lends)
        identities = self._space(UUID).holders
        for address, record in self.records.items():
            identities[record.leases.get(UUID, "")] = address
            if address not in self.chosen:
                values = (value for key, value in record.leases.items() if key not in OWN)
                self.leaving.update((number(value), address) for value in values)

    def take(self, space: str, text: str, holder: Address) -> None:
        value = number(text)
        self._space(space).holders[value] = holder
        self.leaving.pop(value, None)

    def fix(self, one: LeaseClaim) -> None:
        for need in one.needs:
            if need.fixed is None or isinstance(need.pool, Names):
                continue
            holders = self._space(need.space).holders
            value = number(need.fixed)
            for address in one.block.members:
                holder = holders.setdefault(value, address)
                if holder is not address and holder != address:  # of a UUID, as the record has it
                    self._asked_twice(one.block, need, holder, address)
                    continue
                self.chosen[address][need.key] = need.fixed
                if one.block.project_file:
                    self.asking[address] = one.block
                self.fixed.add((need.space, value))
                if (leaver := self.leaving.get(value)) is not None:
                    self.takes_over[address] = (*self.takes_over.get(address, ()), leaver)

    def _asked_twice(self, block: Block, need: Need, holder: Address, address: Address) -> None:
        """Told to who came second: where one of them has it already, that is the other."""
        record = self.records.get(address)
        first = self.asking.get(holder)
        if first is not None and record is not None and record.leases.get(need.key) == need.fixed:
            block, address, holder = first, holder, address
        text = f"{need.fixed} is requested by both {holder} and {address}, but only one can have it."
        self.diagnostics.append(TWICE.at(block.place(), text, address=str(address)))

    def keep(self, one: LeaseClaim) -> None:
        open_needs = [need for need in one.needs if need.fixed is None and not isinstance(need.pool, Names)]
        for address in one.block.members:
            record = self.records.get(address)
            leases = self.chosen[address]
            self._identify(address, leases, record, one.identity)
            if record is None:
                continue
            for need in open_needs:
                text = record.leases.get(need.key)
                if text is None:
                    continue
                if isinstance(need.pool, Borrowed):
                    self._keep_for_lender(need.pool, text)
                elif fits(need, value := number(text)):
                    holder = self._space(need.space).holders.setdefault(value, address)
                    if holder is address:
                        leases[need.key] = text
                    elif (need.space, value) in self.fixed:
                        self._displaced(text, holder, address, one.block)
            self._given_back(one, record, leases)

    def _given_back(self, one: LeaseClaim, record: Record, leases: Mapping[str, str]) -> None:
        """What it has, and will not have, is nobody else's until it has let go of it."""
        others = {need.key for need in one.needs if isinstance(need.pool, Names | Borrowed | Uuids)}
        for key, text in record.leases.items():
            if leases.get(key) != text and key not in OWN and key not in others:
                with suppress(ValueError):  # of an earlier version, it may be of another form
                    self.leaving.setdefault(number(text), record.address)

    def _keep_for_lender(self, asked: Borrowed, text: str) -> None:
        """A lender that is new gets what its borrower has: so an address of one's own becomes a port's."""
        need, leases = self.lent.get((asked.lender, asked.key)), self.chosen.get(asked.lender, {})
        if need is None or asked.key in leases or not fits(need, value := number(text)):
            return
        if self._space(need.space).holders.setdefault(value, asked.lender) is asked.lender:
            leases[asked.key] = text

    def _displaced(self, text: str, holder: Address, address: Address, block: Block) -> None:
        """Told, since nothing of it is written where it happens; and only then does the other one come.

        A project's people take nothing from others: among projects, who came first has it.
        """
        if (taker := self.asking.get(holder)) is not None and holder.project != address.project:
            why = f"{text} is in use by another project, which had it first. Choose another value, or remove it."
            self.diagnostics.append(TAKEN.at(taker.place(), why, address=str(holder)))
            return
        self.takes_over[holder] = (*self.takes_over.get(holder, ()), address)
        why = (
            f"{address} had {text}, which {holder} now requests, so it gets a new one. To keep it, let "
            f"{holder} request another."
        )
        self.diagnostics.append(DISPLACED.at(block.place(), why, address=str(address)))

    def _identify(self, address: Address, leases: dict[str, str], record: Record | None, identity: str) -> None:
        """The UUID stays as long as the resource is the same one; a replacement gets another.

        So does whoever takes the name of one that was renamed, or that goes on unmanaged: that has the first still.
        """
        previous = record.leases.get(UUID, "") if record else ""
        same = record is not None and previous and same_identity(record.leases.get(IDENTITY, "{}"), identity)
        if same and address not in self.replace:
            leases[UUID] = previous
        elif record is not None or UUID not in leases:  # else it is to be one that is there, and has a UUID
            holders, found = self._space(UUID).holders, derived(self.site, address, previous)
            while holders.setdefault(found, address) != address:
                found = derived(self.site, address, found)
            leases[UUID] = found
        leases[IDENTITY] = identity

    def fill(self, one: LeaseClaim) -> None:
        for need in one.needs:
            if need.fixed is not None:
                continue
            match need.pool:
                case Addresses() | Numbers():
                    self._count(one.block, need, need.pool)
                case Macs(prefix):
                    self._hash(one.block, need, prefix)
                case Uuids():
                    for address in one.block.members:
                        text = blake2b(f"{self.site}\0{address}\0{need.key}".encode(), digest_size=16).hexdigest()
                        self.chosen[address].setdefault(need.key, uuid_of(text))
                case Names():
                    pass  # `name_leases`
                case Borrowed():
                    pass  # once all lenders have theirs
                case _ as never:
                    assert_never(never)

    def borrow(self, one: LeaseClaim) -> None:
        """Who had the value before lets go of it first."""
        for need in one.needs:
            if isinstance(need.pool, Borrowed):
                text = self.chosen.get(need.pool.lender, {}).get(need.pool.key, "")
                for address in one.block.members if text else ():
                    self.chosen[address][need.key] = text
                    record = self.records.get(address)
                    if record is None or record.leases.get(need.key) != text:
                        earlier = [who for who in self._had(text) if who not in (address, need.pool.lender)]
                        self.takes_over[address] = tuple(dict.fromkeys((*self.takes_over.get(address, ()), *earlier)))

    def _had(self, text: str) -> Sequence[Address]:
        if self._holders_before is None:
            self._holders_before = {}
            for address, record in self.records.items():
                for key, value in record.leases.items():
                    if key not in OWN:
                        self._holders_before.setdefault(value, []).append(address)
        return self._holders_before.get(text, ())

    def _count(self, block: Block, need: Need, pool: Addresses | Numbers) -> None:
        """The lowest free numbers, in the order of the members."""
        space, key = self._space(need.space), need.key
        holders, leaving, chosen = space.holders, self.leaving, self.chosen
        taken = kept_back(pool)
        write = writer(pool)
        value = space.cursors.get(pool.first, pool.first)
        for address in block.members:
            if key in chosen[address]:
                continue
            while value in holders or value in taken or value in leaving:
                value += 1
            if value > pool.last:
                if not need.optional:
                    self._exhausted(block, need, pool)
                return
            holders[value] = address
            chosen[address][key] = write(value)
            value += 1
        space.cursors[pool.first] = value

    def _hash(self, block: Block, need: Need, prefix: str) -> None:
        holders, key = self._space(need.space).holders, need.key
        for address in block.members:
            leases = self.chosen[address]
            if key in leases:
                continue
            attempt = 0
            while True:
                raw = blake2b(f"{self.site}\0{address}\0{key}\0{attempt}".encode(), digest_size=4).hexdigest()
                mac = f"{prefix}:{raw[:2]}:{raw[2:4]}:{raw[4:6]}:{raw[6:]}"
                if mac not in holders and mac not in self.leaving:
                    break
                attempt += 1
            holders[mac] = address
            leases[key] = mac

    def _exhausted(self, block: Block, need: Need, pool: Addresses | Numbers) -> None:
        """What those before it were given counts as taken, and so does what leavers have not given back yet."""
        holders = self._space(need.space).holders
        asked = set(block.members)
        kept = {one for one in kept_back(pool) if within(pool, one)}
        held = {one for one, who in holders.items() if within(pool, one) and who not in asked} - kept
        leaving = {one for one in self.leaving if within(pool, one)} - kept - held
        write = writer(pool)
        counted = [
            f"{len(some)} {why}"
            for some, why in (
                (kept, "kept back"),
                (held, "taken"),
                (leaving, "still held by resources that this plan destroys or changes"),
            )
            if some
        ]
        text = (
            f"{block.members[0].block} needs {len(block.members)} of {need.space}, where {write(pool.first)} to "
            f"{write(pool.last)} are {pool.last - pool.first + 1}: {' and '.join(counted) or 'all free'}. "
            "Enlarge the pool or request fewer"
        )
        text += "; or apply without it first, which frees those values." if leaving else "."
        self.diagnostics.append(EXHAUSTED.at(block.place(), text, address=str(block.members[0].block)))

    def _space(self, name: str) -> _Space:
        space = self.spaces.get(name)
        if space is None:
            space = self.spaces[name] = _Space()
        return space
