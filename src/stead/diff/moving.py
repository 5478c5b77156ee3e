"""How what moves goes from host to host: whether unencrypted, and how fast. The plan says so, and apply does so."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from stead.blueprint.model import Reason
from stead.core.effect import Disruption, Effect
from stead.core.kind import Kind
from stead.core.observed import Host
from stead.core.want import Want

NO_CERTIFICATES = "without:migration certificates"  # the trait of a host that has none
IN_THE_CLEAR = "unencrypted"
PACE = "by-its-policy"


def disturbed(kind: Kind, effect: Effect) -> Disruption:
    """By what changes with it, too. What is carried is made there as it is to be, with its data."""
    if kind.carried:
        return Disruption.MIGRATE
    return max(Disruption.MIGRATE, effect.disturbs, key=lambda one: one.rank)


def of_the_way(kind: Kind, want: Want, hosts: Mapping[str, Host], source: str, target: str) -> Iterator[Reason]:
    """What a plan says of how it moves."""
    yield from in_the_clear(hosts, source, target)
    if pace := kind.pace(want.fields()):
        yield Reason(PACE, pace)


def in_the_clear(hosts: Mapping[str, Host], source: str, target: str) -> Iterator[Reason]:
    lacking = [name for name in (source, target) if name in hosts and NO_CERTIFICATES in hosts[name].traits]
    if lacking:
        text = f"what it has goes from host to host unencrypted: {' and '.join(lacking)} lack certificates"
        yield Reason(IN_THE_CLEAR, text.replace("lack ", "lacks ") if len(lacking) == 1 else text)
