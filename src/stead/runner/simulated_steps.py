"""Carries out steps on simulated hosts, with the faults that were injected."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from stead.core.address import Address, parse
from stead.core.effect import Action
from stead.core.observed import HostStatus
from stead.core.want import Want, canonical
from stead.plan.model import Step
from stead.runner import UNREADY, StepResult, Wave
from stead.runner import StepStatus as Ending
from stead.runner import simulated_memory as memory
from stead.runner.simulated_model import AWAITED, FaultKind, HostRow, SimulatedFault, SimulatedResource
from stead.runner.simulated_rules import SimulatedSite
from stead.runner.simulated_state import SimulatedState


class SimulatedSteps:
    """Does steps, one after the other, and remembers what is to be written of them."""

    def __init__(
        self, site: SimulatedSite, rows: Mapping[str, HostRow], faults: Sequence[SimulatedFault], wave: Wave
    ) -> None:
        self._site, self._rows, self._wave = site, rows, wave
        self._faults = list(faults)
        self._struck = False
        self._put: dict[tuple[str, str], SimulatedResource | None] = {}
        self._beside: list[tuple[str, str, str]] = []
        self._hooks: list[tuple[str, str, str, str]] = []
        self._dead: dict[str, str] = {}
        self._not_done: set[int] = set()

    def do(self, step: Step) -> StepResult:
        ending, error = self._try(step)
        if ending is not Ending.DONE:
            self._not_done.add(step.number)
        return StepResult(step.number, ending, error)

    def _try(self, step: Step) -> tuple[Ending, str]:
        if step.host in self._dead:
            return Ending.UNKNOWN, self._dead[step.host]
        if self._not_done and not self._not_done.isdisjoint(step.after):
            return Ending.SKIPPED, "a step that it waits for was not done"
        fault = self._strike(step) if self._faults else None
        match fault.kind if fault else None:
            case None:
                return self._perform(step)
            case FaultKind.FAIL:
                return Ending.FAILED, fault.error if fault else ""
            case FaultKind.UNREADY:
                return self._unready(step)
            case FaultKind.DIE_BEFORE:
                return self._die(step)
            case FaultKind.DIE:
                self._perform(step)
                return self._die(step)
            case FaultKind.FENCE:
                raise AssertionError

    def _unready(self, step: Step) -> tuple[Ending, str]:
        ending, error = self._perform(step)
        place = (str(step.address), step.host)
        thing = self._put.get(place)
        if ending is not Ending.DONE or thing is None or not (wait := thing.want.fields().get("wait")):
            return ending, error
        self._put[place] = thing._replace(made_from=AWAITED + thing.made_from)
        text = f"{UNREADY.id}: it was made, but was not ready in time: waited {wait['timeout']} s for {wait['for']}"
        return Ending.FAILED, f"{text}; last seen: nothing, as `stead simulate` was told."

    def _die(self, step: Step) -> tuple[Ending, str]:
        why = f"{step.host} went silent during step {step.number}"
        self._dead[step.host] = why
        return Ending.UNKNOWN, why

    def _strike(self, step: Step) -> SimulatedFault | None:
        address = str(step.address)
        for at, fault in enumerate(self._faults):
            if not fault.times or fault.kind is FaultKind.FENCE or not fault.matches(step.host, address):
                continue
            self._struck = True
            if fault.skip:
                self._faults[at] = fault._replace(skip=fault.skip - 1)
                continue
            self._faults[at] = fault._replace(times=fault.times - 1)
            return fault
        return None

    def _perform(self, step: Step) -> tuple[Ending, str]:
        address, host = str(step.address), step.host
        hooks = self._wave.hooks.get(step.number, ())
        self._hooks += [(one.playbook, one.when, address, host) for one in hooks if one.when == "before"]
        match step.action:
            case Action.DESTROY:
                error = self._destroy(address, step)
            case Action.MIGRATE if step.to:
                error = self._migrate(address, step)
            case Action.FORGET | Action.ACCEPT | Action.REGISTER:
                error = ""  # nothing is touched
            case _:
                error = self._make(address, step)
        if error:
            return Ending.FAILED, error
        self._hooks += [(one.playbook, one.when, address, host) for one in hooks if one.when == "after"]
        return Ending.DONE, ""

    def _make(self, address: str, step: Step) -> str:
        want, site = step.want, self._site
        if want is None:
            return f"the plan does not say what {address} should be"
        contents = site.on(step.host)
        former = contents.uuids.get(step.uuid, address)
        if former != address and step.action is not Action.CREATE:  # `moved`: the same thing under another name
            site.drop(former, step.host)
            self._put[former, step.host] = None
        if address in contents.things and contents.uuids.get(step.uuid) != address:
            return f"{step.host} has another {address} already, with another UUID"
        if refusal := site.refusal(address, step.host, step.uuid, want):
            return refusal
        site.put(address, step.host, step.uuid, want)
        self._set(address, step.host, step.uuid, want)
        return ""

    def _destroy(self, address: str, step: Step) -> str:
        contents = self._site.on(step.host)
        address = contents.uuids.get(step.uuid, address)  # under an old name perhaps
        if address not in contents.things:
            return ""
        if step.uuid and contents.uuids.get(step.uuid) != address:
            return f"the {address} on {step.host} has another UUID: it is not the one that the plan means"
        self._site.drop(address, step.host)
        self._put[address, step.host] = None
        return ""

    def _migrate(self, address: str, step: Step) -> str:
        source = self._site.on(step.host)
        target = self._rows[step.to]
        former = source.uuids.get(step.uuid, address)
        if former not in source.things:
            return f"{address} is not on {step.host}"
        if not target.answers or step.to in self._dead:
            return f"{step.to} does not answer"
        want = step.want or source.things[former]
        if refusal := self._site.refusal(address, step.to, step.uuid, want):
            return refusal
        self._site.drop(former, step.host)
        self._site.put(address, step.to, step.uuid, want)
        self._put[former, step.host] = None
        self._set(address, step.to, step.uuid, want)
        return ""

    def _set(self, address: str, host: str, uuid: str, want: Want) -> None:
        self._put[address, host] = SimulatedResource(address, host, uuid, want, want.digest)
        origin, keep = self._wave.origin, self._wave.keeps.get(parse(address) or Address("", "", ""))
        if origin is not None and keep is not None:
            beside = {"site": origin.site, "serial": origin.serial, "record": keep.told()}
            self._beside.append((address, host, canonical(beside)))

    def save(self, state: SimulatedState) -> None:
        gone = [place for place, thing in self._put.items() if thing is None]
        state.store([thing for thing in self._put.values() if thing is not None], gone)
        memory.remember(state.database, self._beside, gone)
        state.ran(self._hooks)
        if self._struck:
            state.keep_faults([one for one in self._faults if one.times])
        for host, why in self._dead.items():
            state.mark(host, HostStatus.DOWN, why)
        self._put, self._hooks, self._beside, self._struck = {}, [], [], False
