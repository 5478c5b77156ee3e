"""Whether what moves goes from host to host unencrypted: the plan says so at the step, and apply does as it says."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from stead.blueprint.model import Reason
from stead.core.observed import Host

NO_CERTIFICATES = "without:migration certificates"  # the trait of a host that has none
IN_THE_CLEAR = "unencrypted"


def in_the_clear(hosts: Mapping[str, Host], source: str, target: str) -> Iterator[Reason]:
    lacking = [name for name in (source, target) if name in hosts and NO_CERTIFICATES in hosts[name].traits]
    if lacking:
        text = f"its memory goes from host to host unencrypted: {' and '.join(lacking)} lack certificates"
        yield Reason(IN_THE_CLEAR, text.replace("lack ", "lacks ") if len(lacking) == 1 else text)
