"""Hosts that still have an old name are told the new one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from stead.blueprint.leases import UUID
from stead.blueprint.model import Reason
from stead.core.effect import Action, Disruption
from stead.core.observed import Observed
from stead.diff.fields import left_alone
from stead.diff.identity import StaleName
from stead.diff.model import Change, FieldChange, Subject, is_down


def renamed(subject: Subject, untold: StaleName, observed: Observed, others: Sequence[Change]) -> Iterator[Change]:
    """Hosts keep the address beside what they hold, so a new name is written there too; `others` do so by the way."""
    settled = subject.settled
    if settled is None:
        return
    reason = Reason("moved", f"it was {untold.old}")
    changes = (FieldChange("address", str(untold.old), str(settled.address)),)
    uuid = settled.leases[UUID]
    told = {change.host for change in others}
    for host, want in sorted(settled.wants.items()):
        if host in untold.hosts and host not in told and not is_down(host, observed):
            have = subject.haves[host].want if host in subject.haves else None
            there = left_alone(subject.kind, settled, want, have) if have else want
            yield Change(settled.address, host, Action.UPDATE, there, have, Disruption.NONE, (reason,), changes, uuid)
