"""Hosts that do not answer, that somebody called dead, or that left the inventory: what is recorded there, what to do.

Pure: what hosts are now and what is recorded in, words out. Decides nothing; a plan hears the same from `listen`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping

from stead.blueprint.silence import KEEP_OFF, listen, telling
from stead.core.diagnostics import Code, Diagnostic, Severity
from stead.core.observed import Host, HostStatus, Observed
from stead.core.recorded import Recorded
from stead.core.value import value

SAID_DEAD = Code("STEAD-H027", "the host does not answer and was declared dead", Severity.WARNING)
LEFT_BEHIND = Code("STEAD-H028", "a host was removed from the inventory but has recorded resources")
BACK = "It answers, although it was declared dead. The next apply revokes that."


@value
class Standing:
    """What is to be said of one host."""

    host: Host
    recorded: int  # resources that it has, as far as is known
    said_dead_by: str
    todo: str


def standings(hosts: Mapping[str, Host], recorded: Recorded) -> dict[str, Standing]:
    """Of each that does not answer, of those that were called dead and answer, and of those that are drained. `hosts`:
    those of the inventory.
    """
    heard, _, _ = listen(Observed(hosts=hosts), recorded)
    held = Counter(host for record in recorded.resources.values() for host in {record.host, *record.wants} if host)
    known = recorded.hosts
    dead = {name: known[name].dead if name in known else "" for name in heard.hosts}
    return {
        name: Standing(
            host=host,
            recorded=held[name],
            said_dead_by=dead[name],
            todo=_todo(host, held[name], said_dead=bool(dead[name])),
        )
        for name, host in sorted(heard.hosts.items())
        if not host.state.answers or dead[name] or (name in known and known[name].drained)
    }


def _todo(host: Host, held: int, *, said_dead: bool) -> str:
    if host.state.answers or host.blind:
        return BACK if host.state.answers and said_dead else ""
    if host.state is HostStatus.DEAD:
        return KEEP_OFF if held else f"{KEEP_OFF} Nothing is recorded on it: take it out of the inventory."
    text = telling(host)
    return f"{text[0].upper()}{text[1:]}." if held else ""


def told(standing: Standing) -> str:
    """In one line or two."""
    number = standing.recorded
    held = f"{number:,} resource{'s are' if number != 1 else ' is'} recorded on it." if number else ""
    who = f"Declared dead by {standing.said_dead_by}." if standing.host.state is HostStatus.DEAD else ""
    return " ".join(part for part in (who, held, standing.todo) if part)


def diagnosed(found: Mapping[str, Standing]) -> Iterator[Diagnostic]:
    """Of hosts that were called dead or left the inventory; one that is silent has a diagnostic of its own."""
    for name, one in found.items():
        if one.host.state is HostStatus.DEAD:
            yield SAID_DEAD.at(None, told(one), address=name)
        elif one.host.state is HostStatus.GONE:
            yield LEFT_BEHIND.at(None, told(one), address=name)
