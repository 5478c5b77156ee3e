"""What resources take from now on, by their kinds' words, for the store to remember."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any

from stead.core.address import Address
from stead.core.metered import Metered
from stead.core.recorded import Record, Recorded
from stead.core.want import Body, Want
from stead.kinds import kinds

UUID = "uuid"
BODIES = 256  # a run has few at a time


def measured(address: Address, uuid: str, want: Want, refers: Sequence[Address]) -> Metered | None:
    """None: its kind is not metered."""
    kind = kinds().get(address.kind)
    if kind is None or not kind.meters:
        return None
    fields = {**_shared(want.body), **Want(_NO_BODY, want.own).fields()}
    return Metered(address, uuid, kind.metered(fields, refers))


_NO_BODY = Body.of({})


@lru_cache(maxsize=BODIES)
def _shared(body: Body) -> Mapping[str, Any]:
    return body.fields()


def measured_record(record: Record) -> Metered | None:
    want = record.wants.get(record.host) or next(iter(record.wants.values()), None)
    return measured(record.address, record.leases.get(UUID, ""), want, record.after) if want is not None else None


def all_measured(recorded: Recorded) -> Iterator[Metered]:
    for record in recorded.resources.values():
        if (one := measured_record(record)) is not None:
            yield one
