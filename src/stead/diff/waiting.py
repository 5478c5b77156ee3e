"""What waits for a host that does not answer, since it may still have what another would get: a volume, an address.

Every change is let through or held back here, whatever brought it about. Unreachable is not dead.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from stead.blueprint.leases import UUID
from stead.blueprint.model import Blueprint, Settled
from stead.blueprint.silence import telling
from stead.core.address import Address
from stead.core.effect import Action
from stead.core.kind import Kind
from stead.core.observed import HostRecords, HostStatus, Observed
from stead.core.recorded import Recorded
from stead.diff.model import WAITS, Change, Note, is_down, may_run

_TAKES = frozenset({Action.CREATE, Action.UPDATE, Action.REBOOT, Action.REBUILD, Action.REPLACE, Action.MIGRATE})


def proven(changes: Iterable[Change], waiting: Waiting, notes: list[Note]) -> Iterator[Change]:
    """Those that take nothing from a host that may still use it."""
    for change in changes:
        why = waiting.why(change) if waiting.any else ""
        if why:
            notes.append(Note(WAITS, why, str(change.address), change.host))
        else:
            yield change


def untold(silence: HostRecords, observed: Observed) -> Iterator[Note]:
    """A host that comes back believes more than half of the others: so half of them have to know."""
    living = [host for host in observed.hosts.values() if host.state is not HostStatus.DEAD]
    if silence.dead and 2 * len(silence.hears) < len(living):
        names = ", ".join(silence.dead)
        text = (
            f"Only {len(silence.hears)} of {len(living)} hosts answer and will know that {names} is dead. Keep {names} "
            "off the networks until it was erased: when it is switched on, the others may let it start what it had."
        )
        yield Note("few-know", text)


class Waiting:
    def __init__(self, recorded: Recorded, observed: Observed, blueprint: Blueprint, kinds: Mapping[str, Kind]) -> None:
        self._records, self._observed, self._blueprint, self._kinds = (
            recorded.resources, observed, blueprint, kinds
        )  # fmt: skip
        self._quiet = frozenset(name for name in observed.hosts if is_down(name, observed))
        self.any = bool(self._quiet)
        silent = frozenset(name for name in self._quiet if may_run(name, observed))
        self._silent = {
            address: host
            for address, record in (recorded.resources.items() if silent else ())
            for host in silent.intersection(record.wants)
        }

    def why(self, change: Change) -> str:
        settled = self._blueprint.resources.get(change.address)
        if settled is None or change.action not in _TAKES or change.frees or not change.host:
            return ""
        return self._address_of(change) or self._volume_of(change, settled)

    def _address_of(self, change: Change) -> str:
        """One that goes or gets another has not heard of it."""
        for other in self._blueprint.takes_over.get(change.address, ()):
            if other in self._silent and self._kinds[other.kind].single:
                return self._told(change, f"{other} has what it is to get", self._silent[other])
        return ""

    def _volume_of(self, change: Change, settled: Settled) -> str:
        if not self._kinds[change.address.kind].mobile:
            return ""
        volumes = [ref for ref in settled.block.refs if self._is_data(ref)]
        for volume in volumes:
            if change.action is Action.CREATE and (home := self._blueprint.resources[volume].host) in self._quiet:
                return f"{change.address} waits for {volume}, which is on {home}, and that does not answer."
        held = {self._uuid(volume): volume for volume in volumes if volume in self._blueprint.alone}
        for other, host in self._silent.items() if held else ():
            if other == change.address or not self._kinds[other.kind].mobile:
                continue
            fields = self._records[other].wants[host].fields()
            for uuid, volume in held.items():
                if self._kinds[other.kind].detached(fields, frozenset({uuid})) is not None:
                    return self._told(change, f"{other} may still use {volume}", host)
        return ""

    def _is_data(self, ref: Address) -> bool:
        kind = self._kinds.get(ref.kind)
        return kind is not None and kind.stateful and not kind.mobile and ref in self._blueprint.resources

    def _uuid(self, volume: Address) -> str:
        return self._blueprint.resources[volume].leases[UUID]

    def _told(self, change: Change, what: str, host: str) -> str:
        return f"{change.address} waits: {what} on {host}: {telling(self._observed.hosts[host])}."
