"""The second host of what is on two, of which one answers and the other takes over: chosen once all have their first.

It stays while its host can keep it, and takes the place of the first when that is dead. Decides nothing of the first
host, which is placement's to choose; and must not disturb what runs for the sake of a better host.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from stead.blueprint.demands import PlacementRequest
from stead.blueprint.placement.filters import broken
from stead.blueprint.placement.model import HostState, PlacementHost, Problem, Request
from stead.core.address import Address
from stead.core.diagnostics import Code, Diagnostic, Severity
from stead.core.needs import STANDBY, Standby
from stead.core.observed import Host, HostStatus
from stead.core.recorded import Record
from stead.core.value import replace

ALONE = Code("STEAD-P005", "no second host fits", Severity.WARNING)


def standbys(
    question: PlacementRequest,
    hosts: Mapping[Address, str],
    observed: Mapping[str, Host],
    records: Mapping[Address, Record],
) -> tuple[dict[Address, str], list[Diagnostic]]:
    """Of those that are to be on two hosts, the second: "" where none fits now. What was on one alone, and still finds
    no second, has no entry.
    """
    if not question.paired:
        return {}, []
    names = {str(address) for block, _ in question.paired for address in block.members}
    requests = {one: request for request in question.problem.requests for one in request.members if one in names}
    choice = _Choice(question.problem, observed, hosts)
    kept = {
        address: choice.kept(requests[str(address)], hosts.get(address, ""), record)
        for block, _ in question.paired
        for address in block.members
        if (record := records.get(address)) is not None
    }
    choice.load.update(host for host in kept.values() if host)
    found, told = {}, []
    for block, wish in question.paired:
        for address in block.members:
            home, record = hosts.get(address, ""), records.get(address)
            second = kept.get(address) or choice.best(requests[str(address)], home)
            if second or (record is not None and STANDBY in record.leases):
                found[address] = second
            if home and not second and wish is Standby.ALWAYS:
                text = (
                    f"{address} is on {home} alone, because no other host fits. Add a network host that reaches the "
                    "same physical networks, or remove `ha`."
                )
                told.append(ALONE.at(block.place("ha"), text, address=str(address)))
    return found, told


class _Choice:
    """The tables of one call of `standbys`."""

    def __init__(self, problem: Problem, observed: Mapping[str, Host], hosts: Mapping[Address, str]) -> None:
        self.problem, self.observed = problem, observed
        self.hosts = {host.name: host for host in problem.hosts}
        self.load = Counter(hosts.values())

    def kept(self, request: Request, home: str, record: Record) -> str:
        """Where it is already; where its home was, if the two have changed places."""
        for name in (record.leases.get(STANDBY, ""), record.host if STANDBY in record.leases else ""):
            if name and name != home and name in self.observed and self._keeps(self.hosts[name], request):
                return name
        return ""

    def best(self, request: Request, home: str) -> str:
        fit = [
            host.name
            for host in self.problem.hosts
            if home and host.name != home and not self._broken(host, request) and host.state is HostState.UP
        ]
        found = min(fit, key=lambda name: (self.load[name], name), default="")
        self.load[found] += 1
        return found

    def _keeps(self, host: PlacementHost, request: Request) -> bool:
        dead = self.observed[host.name].state is HostStatus.DEAD
        return not dead and host.state is not HostState.LEAVING and not self._broken(host, request)

    def _broken(self, host: PlacementHost, request: Request) -> bool:
        """What is asked of its host by name is asked of the first."""
        anywhere = replace(request, host="")
        return any(one.stage != "state" for one in broken(host, anywhere, self.problem.filters))
