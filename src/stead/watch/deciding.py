"""Whether a silent host is to be evacuated, from what was seen of all hosts. Pure: moments are arguments.

It would rather wait for a person than act on a mistake. It acts on a host that has answered neither the watcher nor any
neighbour that was asked, in every round for long enough; while more than half of the hosts answer, so that the watcher
is not the one that is cut off; and on few hosts an hour, since what takes several at once is a switch, or a mistake.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from stead.core.named import NamedTuple
from stead.core.value import field, value

ASLEEP = 3  # times the patience without a round
VIEWS = 2  # neighbours that have to say that they do not reach a host, where so many answer


@value
class WatchPolicy:
    evacuate: bool = True  # else it only tells
    patience: float = 12.0  # seconds without an answer on either path
    rounds: int = 3  # and looked at as often
    limit: int = 1  # hosts an hour


class Sight(NamedTuple):
    """One round."""

    answers: frozenset[str]  # hosts that answered the watcher
    views: Mapping[str, tuple[bool, ...]]  # of the others: whether each neighbour that said something reaches it


@value
class Suspicion:
    """Since when, and in how many rounds, each host was reached by nobody."""

    at: float = 0.0
    since: Mapping[str, tuple[float, int]] = field(default_factory=dict)


class WatchedHosts(NamedTuple):
    hosts: frozenset[str]  # those that should answer
    unable: Mapping[str, str] = MappingProxyType({})  # why nothing can be done about some
    tried: int = 0  # evacuations within the hour


class HostVerdict(NamedTuple):
    host: str
    evacuate: bool
    why: str


def decide(
    policy: WatchPolicy, before: Suspicion, sight: Sight, watched: WatchedHosts, at: float
) -> tuple[Suspicion, list[HostVerdict]]:
    slept = at - before.at > ASLEEP * policy.patience  # what was in between it did not see
    since = {} if slept else before.since
    answering = sight.answers.intersection(watched.hosts)
    silent = sorted(watched.hosts - answering)
    least = min(VIEWS, len(answering))
    lost = [host for host in silent if _unseen(sight.views.get(host, ()), least)]
    now = {host: (since[host][0], since[host][1] + 1) if host in since else (at, 1) for host in lost}
    ripe = [host for host, (first, rounds) in now.items() if _ripe(policy, at - first, rounds)]
    stop = _stop(policy, len(answering), len(watched.hosts), len(silent), watched.tried)
    verdicts = [_verdict(policy, host, watched.unable.get(host, "") or stop) for host in ripe]
    return Suspicion(at=at, since=now), verdicts


def _unseen(views: tuple[bool, ...], least: int) -> bool:
    return least > 0 and len(views) >= least and not any(views)


def _ripe(policy: WatchPolicy, seconds: float, rounds: int) -> bool:
    return seconds >= policy.patience and rounds >= policy.rounds


def _stop(policy: WatchPolicy, answering: int, hosts: int, silent: int, tried: int) -> str:
    if 2 * answering <= hosts:
        return f"only {answering} of {hosts} hosts answer: this machine may be the one that is cut off"
    if tried >= policy.limit:
        return f"{tried} of at most {policy.limit} evacuations were tried within the hour"
    if silent > policy.limit - tried:
        return f"{silent} hosts are silent at once, and at most {policy.limit} may be evacuated in an hour"
    return ""


def _verdict(policy: WatchPolicy, host: str, stop: str) -> HostVerdict:
    if not policy.evacuate:
        return HostVerdict(host, evacuate=False, why="the policy is to wait for a person")
    return HostVerdict(host, evacuate=not stop, why=stop or "neither this machine nor a neighbour reaches it")
