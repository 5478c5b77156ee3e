"""Simulated hosts: the same planner and the same apply as for real ones, on a laptop and in CI.

They refuse what real hosts would refuse, die when told to, and keep what they were given in a file of their own, never
in the store: so drift, loss and a run killed halfway are as real as on machines.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from pathlib import Path

from ansible_collections.stead.cloud.plugins.module_utils.host.base.step import Origin
from ansible_collections.stead.cloud.plugins.module_utils.host.run.origin import refusal
from stead.core.address import Address, Known
from stead.core.blake2 import blake2b
from stead.core.collecting import no_collecting
from stead.core.diagnostics import Diagnostic
from stead.core.observed import Have, Host, HostStatus, Observed, StoragePool, StoreOrigin
from stead.core.recorded import NOTHING, Recorded
from stead.core.value import replace
from stead.core.want import EMPTY, Body, Want
from stead.drivers import storage
from stead.plan.model import Step
from stead.recovery.rebuild import Memory
from stead.runner import Event, HostSilent, StepResult, StepsBegan, StepsEnded, Wave
from stead.runner import StepStatus as Ending
from stead.runner import simulated_boots as boots
from stead.runner import simulated_memory as memory
from stead.runner.simulated_model import AWAITED, HostRow
from stead.runner.simulated_rules import SimulatedSite
from stead.runner.simulated_state import Row, SimulatedState
from stead.runner.simulated_steps import SimulatedSteps
from stead.site.abilities import with_abilities

# What a simulated host reports of itself where the inventory is silent, as a real one would report its hardware.
VCPUS = 16
MEMORY = 64 << 30
POOL_SIZE = 1 << 40
CHUNK = 1000  # steps between two commits: as much as is in flight when the process is killed

OnEvent = Callable[[Event], None]


class SimulatedRunner:
    def __init__(self, path: Path, *, sleep: Callable[[float], None] = time.sleep) -> None:
        self.state = SimulatedState(path)
        self._sleep = sleep
        self._hosts: Mapping[str, Host] = {}
        self._site: SimulatedSite | None = None
        self._seen = -1

    def observe(self, hosts: Mapping[str, Host], recorded: Recorded = NOTHING) -> Observed:
        with no_collecting(), self.state.said():
            rows = self.state.know(hosts)
            self.state.booted()
            self._hosts = {name: _reported(host, rows[name]) for name, host in hosts.items()}
            answering = {name for name, host in self._hosts.items() if host.state is not HostStatus.DOWN}
            held = boots.held(self.state.database)
            seen = _Seen(recorded.wants(), self.state.bodies(), held)
            digest = blake2b("".join(_facts(self._hosts[host]) for host in sorted(hosts)).encode(), digest_size=16)
            for portion in self.state.rows():
                things = [row for row in portion if row[1] in answering]
                seen.take(things)
                digest.update(_told(things))
            origins = memory.origins(self.state.database)
            origins = {host: origins[host] for host in sorted(answering & origins.keys())}
            digest.update(repr(origins).encode())
            digest.update(repr(sorted(held)).encode() if held else b"")
            kept = memory.revisions(self.state.database)
            return Observed(
                hosts=self._hosts,
                haves=seen.haves,
                digest=digest.hexdigest(),
                origins=origins,
                documents={host: kept[host] for host in sorted(answering & kept.keys())},
            )

    def refusals(self, steps: Sequence[Step]) -> Sequence[Diagnostic]:  # noqa: ARG002 - others look at them
        return ()

    def recall(self, hosts: Mapping[str, Host]) -> tuple[Observed, Mapping[str, Memory]]:
        observed = self.observe(hosts)
        with self.state.said():
            return observed, memory.recalled(self.state.database, self._hosts)

    def run(self, wave: Wave, on_event: OnEvent) -> None:
        lanes: dict[str, list[Step]] = {host: [] for host in wave.informs}
        for step in sorted(wave.steps, key=lambda one: one.number):
            lanes.setdefault(step.host, []).append(step)
        rows = self.state.know([*lanes, *(step.to for step in wave.steps if step.to)])
        answering = {}
        for host, steps in lanes.items():
            if not rows[host].answers:
                on_event(HostSilent(host, rows[host].why or "it does not answer"))
            else:
                answering[host] = steps
        answering = dict(self._accepted(answering, wave, on_event))
        hand = SimulatedSteps(self._current_site(), rows, self.state.faults(), wave)
        waited = 0.0
        for lateness, chunk in _chunks(answering, rows):
            if wave.stopping():
                return
            on_event(StepsBegan([step.number for step in chunk]))
            if lateness > waited:  # late hosts are late side by side, and after all others
                self._sleep(lateness - waited)
                waited = lateness
            results = [hand.do(step) for step in chunk]
            with self.state.writing():
                hand.save(self.state)
            on_event(StepsEnded(results))

    def _accepted(self, lanes: Mapping[str, list[Step]], wave: Wave, on_event: OnEvent) -> Mapping[str, list[Step]]:
        """A host refuses the run of a store that is not its own, or is older than what it has seen."""
        if wave.origin is None:
            return lanes
        said = memory.origins(self.state.database)
        why = {host: refusal(_as_told(said.get(host)), _as_told(wave.origin)) for host in lanes}
        refused = [
            StepResult(step.number, Ending.FAILED, str(why[host]))
            for host in lanes
            if why[host]
            for step in lanes[host]
        ]
        if refused:
            on_event(StepsBegan([one.step for one in refused]))
            on_event(StepsEnded(refused))
        mine = [host for host in lanes if not why[host]]
        key = wave.site_key
        keys = {host: key for host in mine if host in self._hosts and "controller" in self._hosts[host].roles}
        with self.state.writing():
            memory.belong(self.state.database, mine, wave.origin, keys)
            boots.note(self.state.database, mine, wave.dead, wave.origin.serial)
            memory.keep(self.state.database, {host: wave.documents[host] for host in mine if host in wave.documents})
        return {host: lanes[host] for host in mine}

    def _current_site(self) -> SimulatedSite:
        """What is on the hosts, read anew when another process has changed it."""
        version = self.state.version()
        if self._site is None or version != self._seen:
            site = SimulatedSite(self._hosts)
            bodies = self.state.bodies()
            for portion in self.state.rows():
                for address, host, uuid, body, own, digest, _ in portion:
                    site.put(address, host, uuid, Want(bodies[body], own, digest))
            self._site, self._seen = site, version
        self._site.hosts = self._hosts
        return self._site

    def close(self) -> None:
        self.state.close()


def _chunks(lanes: Mapping[str, Sequence[Step]], rows: Mapping[str, HostRow]) -> Iterator[tuple[float, list[Step]]]:
    """Whole hosts together up to a size, with how late they are; those that are late come last."""
    chunk: list[Step] = []
    lateness = 0.0
    for host in sorted(lanes, key=lambda one: (rows[one].delay, one)):
        delay = rows[host].delay
        if chunk and (len(chunk) + len(lanes[host]) > CHUNK or delay != lateness):
            yield lateness, chunk
            chunk = []
        lateness = delay
        chunk = chunk + list(lanes[host]) if chunk else list(lanes[host])
    if chunk:
        yield lateness, chunk


def _reported(host: Host, row: HostRow) -> Host:
    """The inventory's word, completed as a real host's facts would."""
    computes, stores = "compute" in host.roles, "storage" in host.roles
    state, why = host.state, host.why
    if row.state != HostStatus.UP:
        state, why = HostStatus(row.state) if row.answers else HostStatus.DOWN, row.why
    reported = replace(
        host,
        state=state,
        why=why,
        vcpus=host.vcpus or (VCPUS if computes else 0),
        memory=host.memory or (MEMORY if computes else 0),
        pools=host.pools or (_pools() if computes or stores else {}),
        underlay=host.underlay or row.underlay,
    )
    return with_abilities(reported)


class _Seen:
    """What is on the hosts, as it is read."""

    def __init__(
        self, known: Mapping[str, Want], bodies: Mapping[int, Body], held: Collection[tuple[str, str]]
    ) -> None:
        self.haves: dict[Address, dict[str, Have]] = {}
        self._known, self._bodies, self._held = known, bodies, held
        self._shared: dict[str, Want] = {}  # what a network is on one host, it is on a thousand
        self._addresses = Known()
        self._current = ""
        self._inner: dict[str, Have] = {}

    def take(self, things: Sequence[Row]) -> None:
        for name, host, uuid, body, own, digest, made_from in things:
            if name != self._current:
                self._current = name
                self._inner = self.haves[self._addresses[name]] = {}
            want = self._known.get(digest) or self._shared.get(digest)
            if want is None:
                want = Want(self._bodies[body], own, digest)
                if own == EMPTY:
                    self._shared[digest] = want
            if self._held and (name, host) in self._held:
                want = boots.stopped(want)
            awaited = made_from.startswith(AWAITED)
            made = made_from.removeprefix(AWAITED)
            self._inner[host] = Have(want, want.digest if made == digest else made, uuid, awaited=awaited)


def _as_told(origin: StoreOrigin | None) -> Origin | None:
    """As it is sent to hosts."""
    return {"site": origin.site, "serial": origin.serial, "token": origin.token} if origin is not None else None


def _told(things: Sequence[Row]) -> bytes:
    """For the digest."""
    names, places, uuids, _, _, digests, made = zip(*things, strict=True) if things else ((),) * 7
    return "\n".join((*names, *places, *uuids, *digests, *made)).encode()


def _facts(host: Host) -> str:
    """All of a host in one spelling: sets have none of their own."""
    sets = (host.roles, host.traits, host.reaches, host.hypervisors, host.projects)
    maps = (host.overcommit, host.reserved, host.devices, host.pools, host.physical_networks, host.labels)
    plain = (host.name, host.state, host.zone, host.vcpus, host.memory, host.architecture, host.underlay, host.mtu)
    return repr((plain, [sorted(one) for one in sets], [sorted(one.items()) for one in maps]))


def _pools() -> Mapping[str, StoragePool]:
    return {"default": storage.pool("default", storage.DEFAULT_STORAGE, POOL_SIZE)}
