"""Nova's filter scheduler as it works: for every single instance, filter all hosts, weigh what is left, take the best.

A peer for the benchmark, written after Nova's scheduler in its own words. What is kept, since it is the work the scan
consists of, and what is left out, always to Nova's advantage:

- Kept: a `HostState` per host with plain attributes and one aggregate, the availability zone's. The default filters in
  their order, each a pass over the whole list. The default weighers, each a pass over all that is left, normalised to
  0..1 over these hosts, times a multiplier that an aggregate may override; then all sorted, and the best that can be
  claimed is taken and charged. Placement's candidates come before the filters: hosts with room, with the required and
  without the forbidden traits, and each instance's claim is checked against what is really free.
- Kept, since Nova does it for every host whatever is logged: asking whether the request is a rebuild, noting who is
  left after each filter, a heartbeat's age by the clock, and reading the request through the properties of a
  versioned object, which look whether the field is there before they hand it out.
- To Nova's advantage a boot request for many instances is one request, as with `--min 400`: candidates and the filters
  that Nova runs once per request are run for the first instance only, the weighers for every one. One request per
  instance, as tools ask that make servers one by one, is slower.
- Left out: RPC, database, Placement's SQL and HTTP, reading the host states anew for every request, option look-ups
  (in Nova one for every host and weigher), and the debug messages.
- Left out because no request of ours uses it: a policy of metrics, PCI requests, cells, NUMA. Their weighers still
  look at every host, as Nova's do.
- A physical network is a trait here (our networks are requirements; Nova leaves them to Placement or to nobody).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple

from stead.blueprint.placement.model import GroupKind, HostState, Over, PlacementGroup, PlacementHost, Problem, Request

MIB = 1 << 20
DOWN_AFTER = 60.0  # seconds without a heartbeat


class Aggregate:
    def __init__(self, metadata: dict[str, str]) -> None:
        self.metadata = metadata


class ServerGroup:
    """Nova's instance group: one policy, and who is in it so far."""

    def __init__(self, group: PlacementGroup) -> None:
        if group.kind is GroupKind.SPREAD:
            self.policy = "anti-affinity" if group.hard else "soft-anti-affinity"
        else:
            self.policy = "affinity" if group.hard else "soft-affinity"
        self.most = group.limit or 1
        self.members: set[str] = set()
        self.hosts: set[str] = set()


class Field:
    """A field of a versioned object: looked for before it is read."""

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = f"_obj_{name}"

    def __get__(self, one: object, owner: type) -> Any:
        if not hasattr(one, self.name):
            raise NotImplementedError(self.name)
        return getattr(one, self.name)

    def __set__(self, one: object, value: object) -> None:
        setattr(one, self.name, value)


class RequestSpec:
    """What the scheduler is asked with. `resources` in the units of Placement, `extra_specs` of the flavor."""

    names, vcpus, memory, disk, resources = Field(), Field(), Field(), Field(), Field()
    required, forbidden, extra_specs, image, zones = Field(), Field(), Field(), Field(), Field()
    group, hints = Field(), Field()

    def __init__(self, request: Request, names: Sequence[str], group: ServerGroup | None) -> None:
        asked = request.demand
        self.names = names
        self.vcpus = asked.get("vcpus", 0)
        self.memory = asked.get("memory", 0) // MIB
        self.disk = asked.get("disk:local", 0) // MIB
        self.resources = dict(asked)
        self.required = request.required | request.physical_networks
        self.forbidden = request.forbidden
        self.extra_specs = {f"trait:{one}": "required" for one in sorted(request.required)}
        self.extra_specs |= {f"trait:{one}": "forbidden" for one in sorted(request.forbidden)}
        self.extra_specs |= {f"resources:{name}": str(much) for name, much in asked.items() if "device:" in name}
        self.image = {"hw_architecture": request.architecture, "img_hv_type": request.hypervisor}
        self.zones = request.zones
        self.group = group
        self.hints = {}


class View:
    """Nova's HostState: what one host has, as plain attributes."""

    def __init__(self, host: PlacementHost) -> None:
        self.host = self.nodename = host.name
        self.service: dict[str, Any] = {
            "disabled": host.state is HostState.MAINTENANCE,
            "forced_down": host.state is HostState.DOWN,
            "last_seen_up": datetime.now(UTC),
        }
        self.aggregates = [Aggregate({"availability_zone": host.zone})]
        self.traits = host.traits | host.physical_networks
        self.inventory = {name: host.usable(name) for name in host.capacity}
        self.used = dict.fromkeys(self.inventory, 0)
        self.free_ram_mb = host.usable("memory") // MIB
        self.free_disk_mb = host.usable("disk:local") // MIB
        self.vcpus_total = host.capacity.get("vcpus", 0)
        self.vcpus_used = 0
        self.cpu_allocation_ratio = host.overcommit.get("vcpus", 1.0)
        self.num_io_ops = 0
        self.num_instances = 0
        self.failed_builds = 0
        self.pci_stats: list[object] = []
        self.metrics: dict[str, float] = {}
        self.cell_uuid = "cell1"
        self.supported_instances = [(host.architecture, one, "hvm") for one in sorted(host.hypervisors)]
        self.instances: dict[str, RequestSpec] = {}

    def consume(self, name: str, spec: RequestSpec) -> None:
        for resource, amount in spec.resources.items():
            self.used[resource] += amount
        self.free_ram_mb -= spec.memory
        self.free_disk_mb -= spec.disk
        self.vcpus_used += spec.vcpus
        self.num_instances += 1
        self.num_io_ops += 1
        self.instances[name] = spec


def has_room(view: View, spec: RequestSpec) -> bool:
    for resource, amount in spec.resources.items():
        if view.inventory.get(resource, 0) - view.used.get(resource, 0) < amount:
            return False
    return True


def candidates(views: Iterable[View], spec: RequestSpec) -> list[View]:
    """Placement's part: who has the resources and the traits."""
    return [
        view
        for view in views
        if has_room(view, spec) and spec.required <= view.traits and not spec.forbidden & view.traits
    ]


def is_rebuild(spec: RequestSpec) -> bool:
    return bool(spec.hints.get("_nova_check_type") == ["rebuild"])


class Filter:
    """A pass over all hosts; `once`: not again for the further instances of one request."""

    once = True

    def passes(self, view: View, spec: RequestSpec) -> bool:
        raise NotImplementedError

    def all(self, views: Iterable[View], spec: RequestSpec) -> Iterable[View]:
        for view in views:
            if is_rebuild(spec) or self.passes(view, spec):
                yield view


class AvailabilityZoneFilter(Filter):
    def passes(self, view: View, spec: RequestSpec) -> bool:
        if not spec.zones:
            return True
        zones: frozenset[str] = spec.zones
        return not zones.isdisjoint(aggregate_values(view, "availability_zone"))


class ComputeFilter(Filter):
    def passes(self, view: View, _spec: RequestSpec) -> bool:
        service = view.service
        if service["disabled"] or service["forced_down"]:
            return False
        silent: float = abs((datetime.now(UTC) - service["last_seen_up"]).total_seconds())
        return silent <= DOWN_AFTER


class ComputeCapabilitiesFilter(Filter):
    """Traits and resources stand in the same extra specs and are passed over here: they were Placement's."""

    def passes(self, view: View, spec: RequestSpec) -> bool:
        for key, wanted in spec.extra_specs.items():
            scope = key.split(":")
            if len(scope) > 1 and scope[0] != "capabilities":
                continue
            if str(getattr(view, scope[-1], None)) != wanted:
                return False
        return True


class ImagePropertiesFilter(Filter):
    def passes(self, view: View, spec: RequestSpec) -> bool:
        image = spec.image
        wanted = (image.get("hw_architecture"), image.get("img_hv_type"), image.get("hw_vm_mode"))
        if not any(wanted):
            return True
        return any(all(not one or one in has for one in wanted) for has in view.supported_instances)


class ServerGroupAntiAffinityFilter(Filter):
    once = False

    def passes(self, view: View, spec: RequestSpec) -> bool:
        if spec.group is None or spec.group.policy != "anti-affinity":
            return True
        group: ServerGroup = spec.group
        return len(group.members & view.instances.keys()) < group.most


class ServerGroupAffinityFilter(Filter):
    once = False

    def passes(self, view: View, spec: RequestSpec) -> bool:
        if spec.group is None or spec.group.policy != "affinity":
            return True
        group: ServerGroup = spec.group
        return not group.hosts or view.host in group.hosts


FILTERS: tuple[Filter, ...] = (
    AvailabilityZoneFilter(),
    ComputeFilter(),
    ComputeCapabilitiesFilter(),
    ImagePropertiesFilter(),
    ServerGroupAntiAffinityFilter(),
    ServerGroupAffinityFilter(),
)


def aggregate_values(view: View, key: str) -> set[str]:
    return {aggregate.metadata[key] for aggregate in view.aggregates if key in aggregate.metadata}


class Weighed:
    def __init__(self, view: View, weight: float) -> None:
        self.view = view
        self.weight = weight


class Weigher:
    """`default` is the multiplier's; an aggregate's metadata may say another. Weights stay within least and most."""

    option = ""
    default = 1.0
    least: float | None = None
    most: float | None = None

    def all(self, listed: list[Weighed], spec: RequestSpec) -> list[float]:
        weights = []
        for one in listed:
            weight = self.weigh(one.view, spec)
            if self.least is not None:
                weight = max(weight, self.least)
            if self.most is not None:
                weight = min(weight, self.most)
            weights.append(weight)
        return weights

    def weigh(self, view: View, spec: RequestSpec) -> float:
        raise NotImplementedError

    def multiplier(self, view: View) -> float:
        said = aggregate_values(view, self.option)
        return min(float(one) for one in said) if said else self.default


class RAMWeigher(Weigher):
    option = "ram_weight_multiplier"

    def weigh(self, view: View, _spec: RequestSpec) -> float:
        return view.free_ram_mb


class CPUWeigher(Weigher):
    option = "cpu_weight_multiplier"

    def weigh(self, view: View, _spec: RequestSpec) -> float:
        return view.vcpus_total * view.cpu_allocation_ratio - view.vcpus_used


class DiskWeigher(Weigher):
    option = "disk_weight_multiplier"

    def weigh(self, view: View, _spec: RequestSpec) -> float:
        return view.free_disk_mb


class IoOpsWeigher(Weigher):
    option, default, least = "io_ops_weight_multiplier", -1.0, 0.0

    def weigh(self, view: View, _spec: RequestSpec) -> float:
        return view.num_io_ops


class MetricsWeigher(Weigher):
    option = "metrics_weight_multiplier"
    setting: tuple[tuple[str, float], ...] = ()

    def weigh(self, view: View, _spec: RequestSpec) -> float:
        value = 0.0
        for name, ratio in self.setting:
            value += view.metrics[name] * ratio
        return value


class SoftAffinityWeigher(Weigher):
    option, policy = "soft_affinity_weight_multiplier", "soft-affinity"
    least: float | None = 0.0

    def weigh(self, view: View, spec: RequestSpec) -> float:
        if spec.group is None or spec.group.policy != self.policy:
            return 0.0
        return len(spec.group.members & view.instances.keys())


class SoftAntiAffinityWeigher(SoftAffinityWeigher):
    option, policy = "soft_anti_affinity_weight_multiplier", "soft-anti-affinity"
    least, most = None, 0.0

    def weigh(self, view: View, spec: RequestSpec) -> float:
        return -super().weigh(view, spec)


class PCIWeigher(Weigher):
    """Keeps hosts with PCI devices for those who ask for some."""

    option = "pci_weight_multiplier"

    def weigh(self, view: View, _spec: RequestSpec) -> float:
        return -len(view.pci_stats)


class BuildFailureWeigher(Weigher):
    option, default = "build_failure_weight_multiplier", -1e6

    def weigh(self, view: View, _spec: RequestSpec) -> float:
        return view.failed_builds


class CrossCellWeigher(Weigher):
    option, default = "cross_cell_move_weight_multiplier", 1e6

    def weigh(self, _view: View, _spec: RequestSpec) -> float:
        return 0.0  # not a move


WEIGHERS: tuple[Weigher, ...] = (
    SoftAffinityWeigher(),
    SoftAntiAffinityWeigher(),
    BuildFailureWeigher(),
    CPUWeigher(),
    CrossCellWeigher(),
    DiskWeigher(),
    IoOpsWeigher(),
    MetricsWeigher(),
    PCIWeigher(),
    RAMWeigher(),
)


def normalised(values: list[float], least: float | None, most: float | None) -> Iterable[float]:
    low = float(min(values) if least is None else least)
    high = float(max(values) if most is None else most)
    if low == high:
        return [0.0] * len(values)
    return ((value - low) / (high - low) for value in values)


def filtered(views: list[View], spec: RequestSpec, index: int) -> list[View]:
    noted: list[tuple[str, list[tuple[str, str]]]] = []
    for one in FILTERS:
        if index == 0 or not one.once:
            views = list(one.all(views, spec))
            noted.append((type(one).__name__, [(view.host, view.nodename) for view in views]))
            if not views:
                break
    return views


def weighed(views: list[View], spec: RequestSpec) -> list[View]:
    listed = [Weighed(view, 0.0) for view in views]
    if len(listed) > 1:
        for weigher in WEIGHERS:
            values = list(normalised(weigher.all(listed, spec), weigher.least, weigher.most))
            for one, value in zip(listed, values, strict=True):
                one.weight += weigher.multiplier(one.view) * value
        listed.sort(key=lambda one: one.weight, reverse=True)
    return [one.view for one in listed]


class Scheduler:
    def __init__(self, problem: Problem) -> None:
        self.views = [View(host) for host in problem.hosts]
        self.groups: dict[str, ServerGroup] = {}

    def spec(self, request: Request, names: Sequence[str]) -> RequestSpec:
        group = next((one for one in request.groups if one.over is Over.HOSTS), None)  # Nova has none over zones
        return RequestSpec(request, names, self.groups.setdefault(group.name, ServerGroup(group)) if group else None)

    def schedule(self, spec: RequestSpec) -> int:
        """How many of its instances found a host; the rest of the request is not tried once one has none."""
        views = candidates(self.views, spec)
        for index, name in enumerate(spec.names):
            views = weighed(filtered(views, spec, index), spec)
            chosen = next((view for view in views if has_room(view, spec)), None)
            if chosen is None:
                return index
            chosen.consume(name, spec)
            if spec.group is not None:
                spec.group.members.add(name)
                spec.group.hosts.add(chosen.host)
        return len(spec.names)


class Run(NamedTuple):
    asked: int
    placed: int


def place(problem: Problem, most: int) -> Run:
    """The first `most` members in the order they come."""
    scheduler = Scheduler(problem)
    asked = placed = 0
    for request in problem.requests:
        names = request.members[: most - asked]
        placed += scheduler.schedule(scheduler.spec(request, names))
        asked += len(names)
        if asked == most:
            break
    return Run(asked, placed)
