"""What people said of hosts: which of those that do not answer are dead, and which are drained.

Whoever is recorded on a host that left the inventory may run there all the same, so that host stays one of the site's,
silent, until a person says by its name that it is off. Decides nothing of what becomes of what is there.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

from stead.core.diagnostics import Code, Diagnostic
from stead.core.observed import Host, HostRecords, HostStatus, Observed
from stead.core.recorded import KnownHost, Recorded
from stead.core.value import replace

ALIVE = Code("STEAD-H025", "the host answers, so it is not dead")
NO_HOST = Code("STEAD-H026", "no host has this name")

# What the inventory says where it says nothing of hypervisors.
UNSAID = frozenset({"kvm"})
EVACUATED = "evacuated"  # the code of the reason why something leaves a dead host
KEEP_OFF = "Keep it disconnected until it is erased: when it is switched on, it would start its guests."
LEFT = "it is not in the inventory"


def listen(
    observed: Observed, recorded: Recorded, dead: frozenset[str] = frozenset(), restored: frozenset[str] = frozenset()
) -> tuple[Observed, HostRecords, list[Diagnostic]]:
    """`dead` are those of which it is said now; the record has those of which it was said before. Hosts that were
    drained get nothing new, but those that are `restored` now.
    """
    known, hosts = recorded.hosts, dict(observed.hosts)
    holders = {host for record in recorded.resources.values() for host in (record.host, *record.wants) if host}
    for name in sorted(holders - hosts.keys()):
        was = known[name].host if name in known else Host(name=name, roles=frozenset())
        # Another controller keeps the site's images from now on.
        hosts[name] = replace(was, state=HostStatus.GONE, why=LEFT, roles=was.roles - {"controller"})
    found = [one for name in sorted(dead) if (one := _wrong(name, hosts, known, observed.unread)) is not None]
    said = {name for name, one in known.items() if one.dead} | dead
    for name, host in hosts.items():
        if host.state.answers:
            continue
        there = _completed(host, known[name].host) if name in known else host
        is_dead = name in said and not host.blind and name not in observed.unread
        hosts[name] = replace(there, state=HostStatus.DEAD if is_dead else there.state)
    dead_now = any(host.state is HostStatus.DEAD for host in hosts.values())
    silence = HostRecords(
        hosts=_remembered(hosts, known, holders),
        dead=tuple(sorted(name for name in dead if not (name in known and known[name].dead))),
        back=tuple(sorted(name for name, one in known.items() if one.dead and _answers(hosts.get(name)))),
        hears=tuple(sorted(name for name, host in hosts.items() if host.state.answers)) if dead_now else (),
    )
    hosts.update(_drained(hosts, known, restored))
    return replace(observed, hosts=hosts), silence, found


def _drained(
    hosts: Mapping[str, Host], known: Mapping[str, KnownHost], restored: Collection[str]
) -> Iterator[tuple[str, Host]]:
    for name, one in known.items():
        host = hosts.get(name)
        if one.drained and name not in restored and host is not None and host.state is HostStatus.UP:
            why = f"drained by {one.drained}; `stead restore {name}` ends that"
            yield name, replace(host, state=HostStatus.MAINTENANCE, why=why)


def _answers(host: Host | None) -> bool:
    return host is not None and (host.state.answers or host.blind)


def _wrong(
    name: str, hosts: Mapping[str, Host], known: Mapping[str, KnownHost], unread: Collection[str]
) -> Diagnostic | None:
    host = hosts.get(name)
    if host is None and name not in known:
        import difflib

        near = difflib.get_close_matches(name, [*hosts, *known], n=1)
        hint = f" Did you mean {near[0]}?" if near else " `stead hosts` lists those of the inventory."
        return NO_HOST.at(None, f"--confirm-dead {name}: neither the inventory nor the record has this host.{hint}")
    if _answers(host) or name in unread:
        text = (
            f"--confirm-dead {name}: the host answers. Nothing was planned, because its guests would run twice. "
            "Switch it off first, or move its guests with `stead drain`."
        )
        return ALIVE.at(None, text)
    return None


def _completed(host: Host, was: Host) -> Host:
    """The inventory's word, and where it says nothing, what the host said when it last answered."""
    return replace(
        host,
        vcpus=host.vcpus or was.vcpus,
        memory=host.memory or was.memory,
        pools=host.pools or was.pools,
        traits=host.traits | was.traits,
        hypervisors=was.hypervisors if host.hypervisors == UNSAID else host.hypervisors,
        architecture=was.architecture,
        underlay=host.underlay or was.underlay,
    )


def _remembered(
    hosts: Mapping[str, Host], known: Mapping[str, KnownHost], holders: set[str]
) -> Mapping[str, Host | None]:
    """Those that answer, where something of them is new; and None for those that are gone and have nothing."""
    plain = {name: replace(host, state=HostStatus.UP, why="") for name, host in hosts.items() if host.state.answers}
    new: dict[str, Host | None] = {
        name: host for name, host in plain.items() if name not in known or known[name].host != host
    }
    said = {name: host for name, host in hosts.items() if host.state is HostStatus.DEAD and name not in known}
    return new | said | dict.fromkeys(sorted(known.keys() - hosts.keys() - holders))


def telling(host: Host, said: str = "stead apply") -> str:
    """What a person does about a host that holds something up."""
    back = "put it back" if host.state is HostStatus.GONE else "bring it back"
    return f"{back}, or use `{said} --confirm-dead {host.name}` when it is permanently off"
