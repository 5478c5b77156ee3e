"""The site as gauges: what is recorded, what hosts last said, and where the two differ. Made anew for each reading."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping

from ansible_collections.stead.cloud.plugins.module_utils.host.base.exposition import Metric, gauge
from stead import __version__
from stead.core.kind import Kind
from stead.core.named import NamedTuple
from stead.core.observed import HostStatus, Observed
from stead.core.recorded import Recorded
from stead.diff.drift import drift
from stead.run.measuring import measured_record
from stead.store.model import Outcome, RunInfo

_PROJECT = "project"
PROMISED = ("volumes", "disks")  # meters whose detail is a pool


class SiteReading(NamedTuple):
    """What there is to tell."""

    recorded: Recorded
    observed: Observed
    looked: float | None  # when the hosts were last asked
    kinds: Mapping[str, Kind]
    faults: Mapping[str, int]  # project -> resources that could not be made
    last: RunInfo | None
    runs: Mapping[Outcome, int]

    def same(self, other: SiteReading) -> bool:
        """Whether nothing has changed, without looking into it: what is recorded and observed are large."""
        large = self.recorded is other.recorded and self.observed is other.observed
        return large and self[2:] == other[2:]


def families(site: SiteReading) -> Iterator[Metric]:
    about = {(__version__, site.recorded.site): 1.0}
    yield gauge("stead_info", "This Stead.", ("version", "site"), about)
    yield from _resources(site)
    yield from _hosts(site)
    yield from _runs(site)
    yield from _differences(site)


def _resources(site: SiteReading) -> Iterator[Metric]:
    kinds, counts, amounts = site.kinds, Counter[tuple[str, ...]](), Counter[tuple[str, ...]]()
    guests: dict[tuple[str, ...], float] = {}
    on_host, in_pool = Counter[tuple[str, ...]](), Counter[tuple[str, ...]]()
    for record in site.recorded.resources.values():
        address = record.address
        counts[address.project, address.kind] += 1
        one = measured_record(record)
        for name, amount in one.amounts.items() if one is not None else ():
            meter, _, detail = name.partition(":")
            amounts[address.project, meter, detail] += amount
            if meter in PROMISED:
                in_pool[(detail,)] += amount
            elif not detail and kinds[address.kind].guest:
                on_host[record.host, meter] += amount
        if one is not None and kinds[address.kind].guest:
            on = any(name.partition(":")[0] == "running" for name in one.amounts)
            guests[str(address), address.project, one.uuid, record.host] = float(on)
    yield gauge("stead_resources", "Resources that are recorded.", (_PROJECT, "kind"), counts)
    yield gauge(
        "stead_project_amount",
        "What resources of a project take, by the meters of `stead usage`; sizes are in bytes.",
        (_PROJECT, "meter", "detail"),
        amounts,
    )
    yield gauge("stead_instance_on", "1: it shall be on.", ("address", _PROJECT, "uuid", "host"), guests)
    yield gauge("stead_host_amount", "What guests of a host take, by meter; bytes.", ("host", "meter"), on_host)
    yield gauge("stead_pool_promised_bytes", "Sizes of all disks in a pool, full or not.", ("pool",), in_pool)


def _hosts(site: SiteReading) -> Iterator[Metric]:
    hosts, known = site.observed.hosts, site.recorded.hosts
    states = {(name, str(state)): float(one.state is state) for name, one in hosts.items() for state in HostStatus}
    yield gauge("stead_host_state", "1: the host is in this state, as it last answered.", ("host", "state"), states)
    drained = {(name,): float(bool(one.drained)) for name, one in known.items()}
    yield gauge("stead_host_drained", "1: it was drained, and gets nothing.", ("host",), drained)
    vcpus = {(name, one.zone): float(one.vcpus) for name, one in hosts.items()}
    yield gauge("stead_host_vcpus", "Processors of a host.", ("host", "zone"), vcpus)
    memory = {(name, one.zone): float(one.memory) for name, one in hosts.items()}
    yield gauge("stead_host_memory_bytes", "Memory of a host.", ("host", "zone"), memory)
    sizes = {
        (name, pool.name, pool.type): float(pool.size) for name, one in hosts.items() for pool in one.pools.values()
    }
    yield gauge("stead_pool_size_bytes", "Size of a pool, at each host that keeps it.", ("host", "pool", "type"), sizes)


def _runs(site: SiteReading) -> Iterator[Metric]:
    counts = {(str(outcome),): float(site.runs.get(outcome, 0)) for outcome in Outcome}
    yield gauge("stead_runs", "Runs that the store has, by how they ended.", ("outcome",), counts)
    yield gauge(
        "stead_steps_in_flight", "Steps of killed runs, with no known end.", (), {(): len(site.recorded.in_flight)}
    )
    if site.last is not None:
        yield gauge("stead_last_run_started_seconds", "When the last run began.", (), {(): site.last.started})
        took = (site.last.ended or site.last.started) - site.last.started
        yield gauge("stead_last_run_seconds", "How long it took; 0 while it runs.", (), {(): took})
        yield gauge("stead_last_run_failed_steps", "Steps of it that failed.", (), {(): site.last.failed})


def _differences(site: SiteReading) -> Iterator[Metric]:
    faults = {(project,): float(number) for project, number in site.faults.items()}
    yield gauge("stead_faults", "Resources that were asked for and could not be made.", (_PROJECT,), faults)
    if site.looked is None:
        return
    yield gauge("stead_hosts_asked_seconds", "When the hosts were last asked.", (), {(): site.looked})
    changes = drift(site.recorded, site.observed, kinds=site.kinds).changes
    differing = Counter[tuple[str, ...]]((address.project,) for address in {one.address for one in changes})
    none = dict.fromkeys([(one.project,) for one in site.recorded.resources], 0)
    yield gauge("stead_drift", "Resources that differ from what was applied.", (_PROJECT,), {**none, **differing})
