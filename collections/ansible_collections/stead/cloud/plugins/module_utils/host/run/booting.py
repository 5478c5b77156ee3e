"""After a boot: decides which resources of the ledger still belong to this host, and starts them.

While this host was off, it may have been declared dead, and then its guests run elsewhere. So resources that may be on
only one host wait until more than half of the other hosts have answered that it was not. An apply does not wait,
because it knows.
"""

from __future__ import annotations

import json
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Dict, List, Mapping, Optional, Sequence, Set, Tuple, TypedDict

from ..base import commands, paths
from ..base.errors import Failed
from ..base.ssh_peers import WITNESS, Way
from ..base.step import Entry, Origin
from . import origin
from .witnesses import EVERYTHING, Answer, judged

# A boot empties it.
STATE = "/run/stead/boot.json"
PAUSE = 3  # seconds between two rounds of questions
AT_ONCE = 32
# Seconds for an answer: that of SSH's connection, and what a host that is booting itself takes.
PATIENCE = 15
AGAIN = 10  # seconds between two tries of what did not start: its storage may boot as well


class Decision(TypedDict):
    below: int  # serials of what is held back
    decided: bool


def held_below() -> int:
    """Entries of the ledger with a serial below this are held back; 0 holds nothing."""
    return _state()["below"]


def is_held(made: Entry) -> bool:
    """Also what was about to move when this host went off: the other host may have it."""
    return made.get("serial", 0) < held_below() or bool(made.get("going_to"))


def _state() -> Decision:
    found = paths.read_bytes(STATE)
    if found is None:
        return _decide(_unknown(), decided=False)
    known: Decision = json.loads(found)
    return known


def _unknown() -> int:
    """Before anybody was asked: all that was there at the boot."""
    if not others():
        return 0
    try:
        has = origin.read()
    except Failed:
        return EVERYTHING
    return has["serial"] + 1 if has else 0


def _decide(below: int, decided: bool = True) -> Decision:
    found: Decision = {"below": below, "decided": decided or not below}
    paths.write(STATE, json.dumps(found))
    return found


def others() -> Dict[str, Way]:
    me = paths.known_as().get("host", "")
    return {name: ways for name, ways in WITNESS.members().items() if name != me}


def asked(ways: Mapping[str, Way]) -> Dict[str, Answer]:
    with ThreadPoolExecutor(AT_ONCE) as pool:
        return dict(zip(ways, pool.map(_ask, ways.values())))


def _ask(way: Way) -> Answer:
    for address in way["addresses"]:
        try:
            status, out, _err = commands.attempt(WITNESS.argv(address, way["port"]), timeout=PATIENCE)
            found = json.loads(out) if status == 0 else None
        except (Failed, ValueError):
            continue
        if isinstance(found, dict) and isinstance(found.get("dead"), dict):
            return {"site": found.get("site", ""), "dead": found["dead"]}
    return None


def wait_for_witnesses() -> None:
    me = paths.known_as().get("host", "")
    has: Optional[Origin] = None
    said: Optional[List[str]] = None
    while not _state()["decided"]:
        answers = asked(others())
        has = has or origin.read()
        below = judged(answers, me, has["site"] if has else "")
        silent = sorted(name for name, words in answers.items() if words is None)
        if below is not None:
            _decide(below)
        elif said != silent:
            said = silent
            _say("Waits for more hosts to say that nothing of this one runs elsewhere: {0}".format(", ".join(silent)))
            _say("`stead apply` starts what belongs here without them.")
        if below is None:
            time.sleep(PAUSE)
    if held_below():
        _say("This host was called dead: what may run elsewhere is not started. `stead apply` brings it in order.")


def main(_words: Sequence[str] = ()) -> int:
    """Until everything that is this host's own is there: what it needs of other hosts may come later than it."""
    from . import restoring

    wait_for_witnesses()
    said: Optional[List[Tuple[str, str]]] = None
    left: Optional[Set[str]] = None
    while True:
        try:
            failures = restoring.restore(restoring.asking_first(), start=True, only=left)
            left = {what for what, _why in failures}  # who started, and was shut down since, is let alone
        except Failed as error:  # another run is at work here for long
            failures = [("stead", str(error))]
        if failures != said:
            for what, why in failures:
                _say("{0}: {1}".format(what, why))
        if not failures:
            return 0
        said = failures
        time.sleep(AGAIN)


def _say(text: str) -> None:
    sys.stderr.write(text + "\n")
    sys.stderr.flush()
