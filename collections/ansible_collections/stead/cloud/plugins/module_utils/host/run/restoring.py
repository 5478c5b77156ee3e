"""After a boot: restores from the ledger what the kernel has lost, and starts what should run.

It runs without Ansible and controller, from /usr/lib/stead. A failure is reported and does not stop the rest.
"""

from __future__ import annotations

import sys
from typing import Collection, List, Optional, Sequence, Tuple

from ..base import ledger, paths
from ..base.errors import Failed
from ..base.kind import Act
from ..base.sessions import Sessions
from ..base.step import Entry, HostStep
from ..base.work import Work
from ..kinds.table import KINDS
from . import batch, booting

Failure = Tuple[str, str]  # address or kind, what went wrong


def asking_first() -> List[str]:
    """Kinds of which something is on one host at a time."""
    return [name for name, kind in KINDS.items() if kind.asks_first]


def restore(kinds: Sequence[str] = (), start: bool = False, only: Optional[Collection[str]] = None) -> List[Failure]:
    """What could not be restored, of these kinds or of all.

    With `start`, what runs by itself is started. What is held back (`booting`) may be on another host by now. `only`
    names those that are tried again.
    """
    sessions = Sessions()
    try:
        with batch.alone():
            failures: List[Failure] = []
            made = {name: _entries(name, only, failures) for name in KINDS if not kinds or name in kinds}
            for name, entries in made.items():
                failures += _each(KINDS[name].guard, entries, start, sessions)
            for name, entries in made.items():
                failures += _each(KINDS[name].restore, entries, start, sessions)
            failures += [] if kinds else _of_no_kind()
    finally:
        sessions.close()
    return list(dict.fromkeys(failures))


def _entries(kind: str, only: Optional[Collection[str]], failures: List[Failure]) -> List[Entry]:
    unread: List[str] = []
    found = [made for made in ledger.everything(kind, unread=unread) if only is None or made["address"] in only]
    failures += [(kind, said) for said in unread]
    return found


def _of_no_kind() -> List[Failure]:
    """Of kinds whose code never came to this host: a site's own, or a later version's."""
    strange = [one for one in ledger.everything(unread=[]) if one["kind"] not in KINDS]
    return [(one["address"], str(batch.no_code(one["kind"]))) for one in strange]


def _each(act: Act, entries: Sequence[Entry], start: bool, sessions: Sessions) -> List[Failure]:
    me = paths.known_as()
    said = (
        (made["address"], _one(act, _step(made, start, me.get("underlay", "")), me.get("host", ""), sessions))
        for made in entries
    )
    return [(address, text) for address, text in said if text]


def _step(made: Entry, start: bool, underlay: str) -> HostStep:
    return {
        "number": 0,
        "address": made["address"],
        "uuid": made["uuid"],
        "kind": made["kind"],
        "digest": made["digest"],
        "action": "create",
        "want": made["want"],
        "have": None,
        "after": [],
        "underlay": underlay,
        "held": booting.is_held(made),
        "start": start,
    }


def _one(act: Act, step: HostStep, host: str, sessions: Sessions) -> str:
    try:
        act(step, Work(host, sessions=sessions))
    except Failed as error:
        return str(error)
    except Exception as error:  # noqa: BLE001 - one entry's trouble is not the others'
        return "{0}: {1}".format(type(error).__name__, error)
    return ""


def main(names: Sequence[str] = ()) -> int:
    """Of all kinds; or of those named, for a service that has forgotten them."""
    booting.held_below()  # what was here at the boot, before anything is added
    failures = restore(names)
    for address, said in failures:
        sys.stderr.write("{0}: {1}\n".format(address, said))
    return 1 if failures else 0
