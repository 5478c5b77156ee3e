"""A floating IP is a row of its router's: translated on its guest's own host where that has the way out, else at the
router's gateway.
"""

from __future__ import annotations

from functools import partial
from typing import List

from ...base.errors import Failed
from ...base.readings import Readings
from ...base.step import Want
from ...base.work import Work
from ..driver import NO_WAY_OUT
from . import naming, nat, ovsdb, rows
from .rows import Existing, Part, WantedRow

ADDRESS: Part = ("address", None)
KEY = "floating"


def ensure(want: Want, work: Work) -> None:
    if "router" not in want:
        remove(want, work)
        return
    rows.reconcile(want["uuid"], [_row(want)], ADDRESS, work, partial(_attach, want))


def _row(want: Want) -> WantedRow:
    here = want.get("distributed")
    columns = {
        "type": "dnat_and_snat",
        "external_ip": want["address"],
        "logical_ip": want["inside"],
        "external_mac": frozenset([here["mac"]] if here else []),
        "logical_port": frozenset([naming.port_name(here["network_uuid"], here["port"])] if here else []),
    }
    return WantedRow(nat.NAT, KEY, columns, ADDRESS)


def _attach(want: Want, there: Existing, work: Work) -> List[ovsdb.Operation]:
    uuid = want["router"]["uuid"]
    if nat.of_router(uuid, work) is None and not work.check:
        text = "Router {0} is not in the database. Apply it first."
        raise Failed(NO_WAY_OUT, text.format(want["router"]["address"]))
    with work.part("router"):
        return nat.attach(uuid, [KEY], there, work)


def remove(have: Want, work: Work) -> None:
    rows.reconcile(have["uuid"], [], ADDRESS, work, lambda there, _work: nat.detach([], there))


def is_there(want: Want, now: Readings) -> bool:
    there = rows.existing(want["uuid"], Work("", check=True, now=now))
    return "router" not in want or (nat.NAT, KEY) in there


def restore(want: Want, held: bool, work: Work) -> None:
    """The database outlives a boot."""
