"""What can be seen to be wrong with a snapshot, before any host is asked for it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from stead.core.diagnostics import Code, Diagnostic, Severity
from stead.core.observed import Host
from stead.drivers.storage import FREEZE, why_nowhere
from stead.kinds.snapshot.model import Snapshot, source_of
from stead.kinds.snapshot.of_instance import left_out, main_pool, unheld
from stead.language.desired import Block, Desired

UNASKED = Code("STEAD-V007", "this volume cannot be frozen for a snapshot")
SOURCE = Code("STEAD-V010", "a snapshot is of one volume or of one instance")
UNHELD = Code("STEAD-V011", "no snapshot can be taken of this instance")
LEFT_OUT = Code("STEAD-V012", "a volume is no part of the snapshot of its instance", Severity.WARNING)


def check(block: Block, _desired: Desired) -> Iterator[Diagnostic]:
    model: Snapshot = block.model
    if (model.volume is None) is (model.instance is None):
        yield SOURCE.at(block.place("instance" if model.instance else ""), "Write `volume:` or `instance:`.")


def fits(block: Block, desired: Desired, hosts: Mapping[str, Host]) -> Iterator[Diagnostic]:
    model: Snapshot = block.model
    of = desired.get(source_of(model))
    if of is None:
        return
    if model.instance is None:
        if model.freeze and (why := why_nowhere(FREEZE, of.model.pool, hosts)):
            yield UNASKED.at(block.place("freeze"), why)
    elif why := unheld(main_pool(of.model, desired), hosts):
        text = f"{why} Take snapshots of its volumes, one by one."
        yield UNHELD.at(block.place("instance"), text)
    else:
        for volume, why in left_out(of.model, desired, hosts):
            yield LEFT_OUT.at(block.place("instance"), f"{volume}: {why} Take a snapshot of it by itself.")
