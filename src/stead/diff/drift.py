"""Recorded against observed alone: what `--refresh-only` would take for the truth."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from stead.address import order
from stead.blueprint.leases import UUID
from stead.blueprint.model import Reason
from stead.diff.fields import comparison
from stead.diff.model import Change, Diff, is_down
from stead.kind import Action, Disruption, Kind
from stead.observed import Observed, State
from stead.plan.model import FieldChange, Note
from stead.recorded import Recorded

HAS_IT_SO = Reason("accepted", "the host has it so")
HAS_IT_NOT = Reason("accepted", "the host has it no more")


def drift(recorded: Recorded, observed: Observed, *, kinds: Mapping[str, Kind]) -> Diff:
    """Recorded against observed alone: what `--refresh-only` would take for the truth."""
    changes: list[Change] = []
    for address, record in sorted(recorded.resources.items(), key=lambda item: order(item[0])):
        haves = observed.haves.get(address, {})
        for host, applied in sorted(record.wants.items()):
            have = haves.get(host)
            if not host or is_down(host, observed) or (have and have.want.digest == applied.digest):
                continue
            there = have.want if have else None
            differences = comparison(kinds[address.kind].name)(applied.fields(), there.fields()) if there else ()
            fields = tuple(FieldChange(name, new, old, drift=True) for name, old, new in differences)
            reason = HAS_IT_SO if there is not None else HAS_IT_NOT
            if there is None or fields:
                uuid = record.leases.get(UUID, "")
                changes.append(
                    Change(address, host, Action.ACCEPT, there, applied, Disruption.NONE, (reason,), fields, uuid)
                )
    return Diff(changes=tuple(changes), notes=tuple(silent(observed)))


def silent(observed: Observed) -> Iterator[Note]:
    for host in observed.hosts.values():
        if host.state is State.DOWN:
            text = f"{host.name} does not answer{f' ({host.why})' if host.why else ''}: its steps wait, nobody else's."
            yield Note("host-silent", text, host=host.name)
