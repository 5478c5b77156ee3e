"""What hosts have, as far as the store knows."""

from __future__ import annotations

from collections.abc import Mapping

from stead.core.address import Address
from stead.core.observed import Have, Observed
from stead.core.recorded import Record
from stead.core.value import replace


def as_recorded(observed: Observed, records: Mapping[Address, Record]) -> Observed:
    """The hosts with what was applied there. While an apply runs, what was seen before it is older than the record,
    and a request would be refused for a volume that seems lost. The worker plans by what hosts have.
    """
    haves = {
        address: {
            host: Have(want, want.digest, record.leases.get("uuid", "")) for host, want in record.wants.items() if host
        }
        for address, record in records.items()
    }
    return replace(observed, haves={address: on for address, on in haves.items() if on})
