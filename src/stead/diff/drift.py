"""Recorded against observed alone: what `--refresh-only` would take for the truth."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping

from stead.blueprint.leases import UUID
from stead.blueprint.model import Reason
from stead.blueprint.silence import KEEP_OFF
from stead.core.address import order
from stead.core.effect import Action, Disruption
from stead.core.kind import Kind
from stead.core.observed import Have, HostStatus, Observed
from stead.core.recorded import Record, Recorded
from stead.diff.fields import comparison
from stead.diff.model import Change, Diff, FieldChange, Note, is_down
from stead.diff.wording import Holders, worded

HAS_IT_SO = Reason("accepted", "changed on the host")
HAS_IT_NOT = Reason("accepted", "removed on the host")
MOVED = Reason("moved-by-hand", "it was moved here by hand")
MOVED_AWAY = Reason("moved-by-hand", "it was moved away by hand")


def drift(recorded: Recorded, observed: Observed, *, kinds: Mapping[str, Kind]) -> Diff:
    """Recorded against observed alone: what `--refresh-only` would take for the truth."""
    changes: list[Change] = []
    for address, record in sorted(recorded.resources.items(), key=lambda item: order(item[0])):
        haves = observed.haves.get(address, {})
        if moved := _moved(record, haves, observed, kinds[address.kind]):
            changes += moved
            continue
        for host, applied in sorted(record.wants.items()):
            have = haves.get(host)
            if not host or is_down(host, observed) or (have and have.want.digest == applied.digest):
                continue
            there = have.want if have else None
            differences = comparison(kinds[address.kind].wire_module)(applied.fields(), there.fields()) if there else ()
            fields = tuple(FieldChange(name, new, old, drift=True) for name, old, new in differences)
            reason = HAS_IT_SO if there is not None else HAS_IT_NOT
            if there is None or fields:
                uuid = record.leases.get(UUID, "")
                changes.append(
                    Change(address, host, Action.ACCEPT, there, applied, Disruption.NONE, (reason,), fields, uuid)
                )
    changes = worded(changes, kinds, Holders(recorded))
    return Diff(changes=tuple(changes), notes=(*silent(observed), *_unlisted(observed)), of_spec=False)


def _moved(record: Record, haves: Mapping[str, Have], observed: Observed, kind: Kind) -> list[Change]:
    """What may change its host and did, by itself or by a person. Empty where it did not, or where it is twice."""
    home, uuid = record.host, record.leases.get(UUID, "")
    there = [host for host, have in haves.items() if not have.begun and have.uuid == uuid]
    if not kind.mobile or home not in record.wants or len(there) != 1 or home in haves or is_down(home, observed):
        return []
    have, applied = haves[there[0]].want, record.wants[home]
    return [
        Change(record.address, home, Action.ACCEPT, None, applied, Disruption.NONE, (MOVED_AWAY,), uuid=uuid),
        Change(record.address, there[0], Action.ACCEPT, have, applied, Disruption.NONE, (MOVED,), uuid=uuid),
    ]


def silent(observed: Observed) -> Iterator[Note]:
    for host in observed.hosts.values():
        if host.name in observed.unread:
            yield Note("host-unread", f"Nothing is done on {host.name}: its state cannot be read.", host=host.name)
        elif host.state is HostStatus.DEAD:
            yield Note(
                "host-dead",
                f"{host.name} is declared dead until it answers. {KEEP_OFF}",
                host=host.name,
            )
        elif host.state is HostStatus.DOWN:
            text = f"{host.name} does not answer{f' ({host.why})' if host.why else ''}: only its own steps wait."
            yield Note("host-silent", text, host=host.name)


def _unlisted(observed: Observed) -> Iterator[Note]:
    lost = Counter(host for haves in observed.haves.values() for host, have in haves.items() if have.lost)
    for host, number in sorted(lost.items()):
        yield Note(
            "ledger-lost",
            f"The ledger of {host} lacks {number:,} resources that are there. `stead apply` registers them.",
            "",
            host,
        )
