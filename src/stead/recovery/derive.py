"""What a rebuilt store still lacks and the spec proves: what lives on no host, and what an entry that agrees names.

Pure. Nothing is guessed: a choice is taken from the spec only where a want that a host has comes out of it to the
letter, by its digest, or where nothing was chosen at all.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from stead.blueprint.leases import IDENTITY, UUID
from stead.blueprint.model import Blueprint, Settled
from stead.core.address import Address, order
from stead.core.diagnostics import Code, Severity
from stead.core.recorded import Record
from stead.core.value import replace
from stead.core.want import Want
from stead.recovery.rebuild import Rebuilt

PARTIAL = Code("STEAD-S032", "the record of a resource is incomplete", Severity.WARNING)


def complete(rebuilt: Rebuilt, blueprint: Blueprint) -> Rebuilt:
    records = dict(rebuilt.recorded.resources)
    found, partial = list(rebuilt.found), set(rebuilt.partial)
    named = _NamedUuids(records, blueprint)
    referred = {address for record in records.values() for address in record.after}
    for address, settled in sorted(blueprint.resources.items(), key=lambda item: order(item[0])):
        record = records.get(address)
        if record is None:
            if any(settled.wants) and settled.leases[UUID] not in named and not _plain(settled, referred):
                continue
            record = _from(settled, {})
        if address in partial and _agree(record, settled):
            partial.discard(address)
            record = _from(settled, record.wants)
        records[address] = _filled(record, settled, rebuilt.forgetful)
    for address in sorted(partial, key=order):
        text = (
            f"Its UUID and what {', '.join(sorted(records[address].wants)) or records[address].host} has of it are "
            "known, but not its leases. The next plan says which it gives to it."
        )
        found.append(PARTIAL.at(None, text, address=str(address)))
    recorded = replace(rebuilt.recorded, resources=records, outputs=blueprint.outputs)
    return replace(rebuilt, recorded=recorded, found=tuple(found), partial=frozenset(partial))


def _plain(settled: Settled, referred: Collection[Address]) -> bool:
    """Of what others refer to, so that it was there, and for which nothing had to be chosen: no host, no number."""
    return settled.address in referred and not settled.host and settled.leases.keys() <= {UUID, IDENTITY}


def _from(settled: Settled, wants: Mapping[str, Want]) -> Record:
    """What is not on a host that told of it is not taken to be there: the next plan looks for it."""
    block = settled.block
    return Record(
        address=settled.address,
        leases=settled.leases,
        host=settled.host,
        wants={**{host: want for host, want in settled.wants.items() if not host}, **wants},
        after=(*block.refs, *block.settings.depends_on),
        protect=block.settings.protect,
        reason=f"{settled.placed.code}: {settled.placed.text}" if settled.placed.code else "",
    )


def _agree(record: Record, settled: Settled) -> bool:
    """What hosts have comes out of the spec with the same choices."""
    wants = settled.wants
    return record.leases.get(UUID) == settled.leases[UUID] and all(
        host in wants and wants[host].digest == want.digest for host, want in record.wants.items()
    )


def _filled(record: Record, settled: Settled, forgetful: frozenset[str]) -> Record:
    """With the wants of hosts that forgot theirs; and the spec's own where they are the same, for these are shared."""
    if record.leases.get(UUID) != settled.leases[UUID]:
        return record
    wants = {
        host: settled.wants[host] if host in settled.wants and settled.wants[host].digest == want.digest else want
        for host, want in record.wants.items()
    }
    wants |= {
        host: want for host, want in settled.wants.items() if host not in wants and (not host or host in forgetful)
    }
    block = settled.block
    return replace(record, wants=wants, after=(*block.refs, *block.settings.depends_on), protect=block.settings.protect)


class _NamedUuids:
    """UUIDs in wants that hosts have to the letter: of what they name, the spec's choice is the true one."""

    def __init__(self, records: Mapping[Address, Record], blueprint: Blueprint) -> None:
        self._records, self._blueprint = records, blueprint
        self._texts: frozenset[str] | None = None

    def __contains__(self, uuid: str) -> bool:
        if self._texts is None:
            self._texts = frozenset(self._all())
        return uuid in self._texts

    def _all(self) -> Iterator[str]:
        for address, settled in self._blueprint.resources.items():
            record = self._records.get(address)
            for host, want in settled.wants.items() if record is not None else ():
                has = record.wants.get(host) if record is not None else None
                if has is not None and has.digest == want.digest:
                    yield from _texts(want.fields())


def _texts(found: Any) -> Iterator[str]:
    match found:
        case str():
            yield found
        case Mapping():
            for one in found.values():
                yield from _texts(one)
        case list():
            for one in found:
                yield from _texts(one)
