"""What hosts remember, put together again to what a store has recorded. Pure: who asked them is the runner's business.

It decides what to believe where hosts differ, and says one by one what is missing, contradictory or another site's.
What lives on no host follows from the spec; it is taken from there, and so is what an entry that agrees proves.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from stead.blueprint.leases import UUID
from stead.core.address import Address, order, parse
from stead.core.diagnostics import Code, Diagnostic, Severity
from stead.core.named import NamedTuple
from stead.core.observed import KeptDocument, StoreOrigin
from stead.core.recorded import Record, Recorded
from stead.core.value import field, replace, value
from stead.core.want import EMPTY, Body, Want
from stead.recovery.belonging import OTHER_SITE, UNREAD

SILENT = Code("STEAD-S028", "a host did not report its resources", Severity.WARNING)
CONTRADICTION = Code("STEAD-S029", "hosts do not agree about a resource", Severity.WARNING)
STRANGE = Code("STEAD-S031", "a host has a resource of another site", Severity.WARNING)
NOTHING = Code("STEAD-S033", "no host says which site it belongs to")


class LedgerEntry(NamedTuple):
    """One resource as a host remembers it: in its ledger, or in what the resource says of itself."""

    host: str
    address: Address
    uuid: str
    want: Want | None
    site: str = ""
    serial: int = 0
    record: Mapping[str, Any] | None = None
    begun: bool = False
    lost: bool = False  # its ledger has no such entry; the resource itself says so


@value
class Memory:
    """All that one host remembers."""

    host: str
    origin: StoreOrigin | None = None
    entries: Sequence[LedgerEntry] = ()
    unread: tuple[str, ...] = ()
    silent: str = ""  # why it said nothing
    key: str = field(default="", repr=False)  # what the site seals secrets with, where the host keeps it
    documents: Mapping[str, KeptDocument] = field(default_factory=dict, repr=False)  # of projects of the API

    @property
    def forgetful(self) -> bool:
        """Its ledger is gone, or part of it."""
        return any(one.lost for one in self.entries) or bool(self.unread) or (bool(self.origin) and not self.entries)


@value
class Rebuilt:
    """What goes into the store, and what a person should know of it."""

    recorded: Recorded
    found: tuple[Diagnostic, ...] = ()
    partial: frozenset[Address] = frozenset()  # of which no more than the UUID is known
    forgetful: frozenset[str] = frozenset()  # hosts that may have more than they know
    key: str = field(default="", repr=False)
    documents: Mapping[str, Sequence[KeptDocument]] = field(default_factory=dict, repr=False)  # the newest first


def rebuild(memories: Mapping[str, Memory], before: Recorded, without: frozenset[str] = frozenset()) -> Rebuilt:
    """`before` is what a store has that is to be completed; `without` are hosts that never come back."""
    said = [memories[host] for host in sorted(memories)]
    site, errors = _site(said, before)
    if errors:
        return Rebuilt(recorded=before, found=tuple(errors))
    found = [SILENT.at(None, f"{one.host}: {one.silent}.", address=one.host) for one in said if one.silent]
    found += [UNREAD.at(None, f"{one.host}: {text}", address=one.host) for one in said for text in one.unread]
    entries = list(_of_site(said, site, found))
    silent = {one.host for one in said if one.silent}
    records = dict(before.resources)
    partial = set[Address]()
    by_address: dict[Address, list[LedgerEntry]] = {}
    for entry in entries:
        by_address.setdefault(entry.address, []).append(entry)
    for address, some in sorted(by_address.items(), key=lambda item: order(item[0])):
        best = max(some, key=_weight)
        found += _contradictions(address, best, some)
        records[address] = _record(best, [one for one in some if one.uuid == best.uuid], records.get(address), before)
        if best.record is None and address not in before.resources:
            partial.add(address)
    origins = [one.origin for one in said if one.origin is not None]
    recorded = Recorded(
        site=site,
        serial=max([before.serial, *(one.serial for one in origins), *(one.serial for one in entries)]),
        resources=records,
        outputs=before.outputs,
        documented=before.documented,
        tokens=before.tokens | {one.token for one in origins},
        unheard=frozenset((silent | (before.unheard - memories.keys())) - without),
    )
    return Rebuilt(
        recorded=recorded,
        found=tuple(found),
        partial=frozenset(partial),
        forgetful=frozenset(one.host for one in said if one.forgetful),
        key=next((one.key for one in sorted(said, key=_newest, reverse=True) if one.key), ""),
        documents=_documents(one for one in said if one.origin is None or one.origin.site == site),
    )


def _documents(said: Iterable[Memory]) -> dict[str, Sequence[KeptDocument]]:
    found: dict[str, set[KeptDocument]] = {}
    for memory in said:
        for project, kept in memory.documents.items():
            found.setdefault(project, set()).add(kept)
    return {project: sorted(some, reverse=True) for project, some in sorted(found.items())}


def _newest(memory: Memory) -> int:
    return memory.origin.serial if memory.origin is not None else -1


def _site(said: Sequence[Memory], before: Recorded) -> tuple[str, list[Diagnostic]]:
    """A store that has something keeps its site; an empty one has none yet."""
    sites: dict[str, list[str]] = {}
    for one in said:
        if one.origin is not None:
            sites.setdefault(one.origin.site, []).append(one.host)
    if not sites:  # a guest, or an entry, may have outlived the file that says it
        for one in said:
            for entry in one.entries:
                if entry.site and one.host not in sites.setdefault(entry.site, []):
                    sites[entry.site].append(one.host)
    mine = before.site if before.resources else next(iter(sites), "")
    if not mine:
        silent = sum(1 for one in said if one.silent)
        text = (
            f"{len(said)} hosts were asked, and {silent} did not answer. A site that was never applied has nothing to "
            "recover: `stead plan` begins it."
        )
        return "", [NOTHING.at(None, text)]
    others = {site: hosts for site, hosts in sites.items() if site != mine}
    if not others:
        return mine, []
    told = "; ".join(
        f"{', '.join(hosts)}: {site}" for site, hosts in sorted({**sites, mine: sites.get(mine, [])}.items())
    )
    text = (
        f"These hosts do not belong together ({told}), so no store can be made from all of them. Give an inventory "
        "with the hosts of one site; or take hosts out of the other with `stead bootstrap --leave-site --limit HOST`."
    )
    return mine, [OTHER_SITE.at(None, text)]


def _of_site(said: Sequence[Memory], site: str, found: list[Diagnostic]) -> Iterator[LedgerEntry]:
    for memory in said:
        for entry in memory.entries:
            if entry.site in ("", site):
                yield entry
                continue
            text = f"{entry.host} has {entry.address}, which belongs to site {entry.site}. It is not included."
            found.append(STRANGE.at(None, text, address=str(entry.address)))


def _weight(entry: LedgerEntry) -> tuple[bool, bool, int, bool]:
    """What is believed most: whole entries first, then the newest, then the host that the resource is placed on."""
    home = entry.record is not None and entry.record.get("host") == entry.host
    return (not entry.begun, entry.record is not None, entry.serial, home)


def _contradictions(address: Address, best: LedgerEntry, entries: Iterable[LedgerEntry]) -> Iterator[Diagnostic]:
    for one in entries:
        leases = (one.record or {}).get("leases")
        if one.uuid != best.uuid:
            what = f"UUID {one.uuid} on {one.host}, and {best.uuid} on {best.host}"
        elif leases and best.record and one.serial == best.serial and leases != best.record["leases"]:
            what = f"the leases that {one.host} has of it, and those of {best.host}"
        else:
            continue
        text = f"{what}: what {best.host} says is taken, and the other is left where it is."
        yield CONTRADICTION.at(None, text, address=str(address))


def _record(best: LedgerEntry, entries: Sequence[LedgerEntry], known: Record | None, before: Recorded) -> Record:
    wants = {one.host: one.want for one in entries if one.want is not None and not one.begun}
    told = best.record
    if known is not None and known.leases.get(UUID) == best.uuid and not _outdoes(best, before):
        return replace(known, wants={**wants, **known.wants})
    kept = known.wants if known is not None and known.leases.get(UUID) == best.uuid else {}
    if told is None:
        home = best.host if len({one.host for one in entries}) == 1 else ""  # of several, which is its home is not said
        return Record(address=best.address, leases={UUID: best.uuid}, host=home, wants={**kept, **wants})
    return Record(
        address=best.address,
        leases=dict(told["leases"]),
        host=str(told["host"]),
        wants={**kept, **wants},
        after=tuple(one for one in map(parse, told["after"]) if one is not None),
        protect=bool(told["protect"]),
        reason=str(told["reason"]),
    )


def _outdoes(best: LedgerEntry, before: Recorded) -> bool:
    """Whether a host knows better than the store: it was written later, or it is home to it and had not been heard."""
    if best.record is None:
        return False
    return best.serial > before.serial or (best.host in before.unheard and best.record["host"] == best.host)


def entry_of(host: str, told: Mapping[str, Any]) -> LedgerEntry | None:
    """From an entry of a ledger, or what a resource says of itself in the same words."""
    address = parse(str(told.get("address", "")))
    if address is None:
        return None
    fields, record = told.get("want"), told.get("record")
    want = Want(Body.of(fields), EMPTY, str(told["digest"])) if fields and told.get("digest") else None
    return LedgerEntry(
        host=host,
        address=address,
        uuid=str(told["uuid"]),
        want=want,
        site=str(told.get("site", "")),
        serial=int(told.get("serial", 0)),
        record=record if isinstance(record, dict) else None,
        begun=bool(told.get("begun")),
        lost=bool(told.get("lost")),
    )
