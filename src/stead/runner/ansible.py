"""Real hosts, by Ansible: a wave is one play over the hosts with work in it.

It decides nothing. Steps go to a private directory, a file for each host; what became of them comes back the same way,
every few seconds, so that a slow step holds up no news of the others. The whole log of Ansible stays in that directory.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Any

from stead.core.diagnostics import Diagnostic
from stead.core.observed import Host, Observed
from stead.core.recorded import NOTHING, Recorded
from stead.core.value import value
from stead.language.spec.digests import digest_of_folder
from stead.plan.model import PlannedHook, Step
from stead.recovery.rebuild import Memory
from stead.runner import Event, HostSilent, StepAwaits, StepResult, StepsBegan, StepsEnded, StepStatus, Wave
from stead.runner.ansible_process import Played, Playing, bare
from stead.runner.backups import asked_of, missing_content
from stead.runner.wave_files import (
    KEY,
    STOP,
    VARIABLES,
    PartsHeard,
    handed,
    parts_heard,
    read,
    remove_secrets,
    write_private,
    write_work,
)

OnEvent = Callable[[Event], None]

WAVE = "stead.cloud.wave"
LOOK = 0.05  # seconds between looks for results: quick enough for a person, slow enough to cost nothing
_STATES = {"ok": StepStatus.DONE, "failed": StepStatus.FAILED, "skipped": StepStatus.SKIPPED}


@value
class AnsibleRunner:
    inventory: Sequence[Path]
    folder: Path  # of the run: private, and kept with it
    check: bool = False
    arguments: Sequence[str] = ()  # more of them for ansible-playbook: --become, --vault-password-file
    run_name: str = "run"

    def observe(self, hosts: Mapping[str, Host], recorded: Recorded = NOTHING) -> Observed:
        from stead.runner.observe import ObserveRequest, observe_recorded, to_observed

        question = ObserveRequest(inventory=self.inventory, hosts=tuple(hosts), arguments=self.arguments)
        return to_observed(observe_recorded(question, recorded), hosts, recorded.wants())

    def recall(self, hosts: Mapping[str, Host]) -> tuple[Observed, Mapping[str, Memory]]:
        from stead.runner.observe import ObserveRequest, observe, to_memories, to_observed

        question = ObserveRequest(inventory=self.inventory, hosts=tuple(hosts), arguments=self.arguments, recall=True)
        answers = observe(question)
        return to_observed(answers, hosts), to_memories(answers)

    def refusals(self, steps: Sequence[Step]) -> Sequence[Diagnostic]:
        found: list[Diagnostic] = []
        if moves := [step for step in steps if step.to]:
            from stead.runner.moving import missing_programs

            found += missing_programs(moves)
        if not found and not self.check and (restoring := [step for step in steps if asked_of(step) is not None]):
            from stead.site.inventory import read_inventory

            found += missing_content(restoring, read_inventory(self.inventory)[0])
        return found

    def run(self, wave: Wave, on_event: OnEvent) -> None:
        if not (wave.steps or wave.informs):
            return
        _rest(wave)
        if wave.stopping():
            return
        on_event(StepsBegan([step.number for step in wave.steps]))
        steps, refused = self._hooked(wave, "before", wave.steps)
        if refused:
            on_event(StepsEnded(refused))
        moves = [step for step in steps if step.to]
        steps = [step for step in steps if not step.to]
        if steps or wave.informs:
            self._carry_out(wave, steps, [one.step for one in refused], on_event)
        if moves:
            self._move(wave, moves, on_event)

    def _carry_out(self, wave: Wave, steps: Sequence[Step], failed: Sequence[int], on_event: OnEvent) -> None:
        lanes: dict[str, list[Step]] = {host: [] for host in wave.informs}
        for step in steps:
            lanes.setdefault(step.host, []).append(step)
        folder = self._fresh(f"wave-{wave.number}")
        beside: dict[str, Any] = {"run": self.run_name, "outcomes": {str(number): "failed" for number in failed}}
        try:
            for host, mine in lanes.items():
                told = wave.documents.get(host, {})
                kept = {project: one._asdict() if one else None for project, one in told.items()}
                steps_of_host = [handed(step, wave) for step in mine]
                write_work(folder, host, wave, steps_of_host, {**beside, **({"documents": kept} if kept else {})})
            self._follow(wave, lanes, folder, on_event)
        finally:
            remove_secrets(folder)
            (folder / STOP).unlink(missing_ok=True)

    def _move(self, wave: Wave, steps: Sequence[Step], on_event: OnEvent) -> None:
        from stead.runner.move_parts import is_live
        from stead.runner.moving import GuestMoves
        from stead.runner.moving_disks import DiskMoves
        from stead.site.inventory import read_inventory

        inventory = read_inventory(self.inventory)[0]
        spoken, play = partial(handed, wave=wave), partial(self._told, wave)
        folder = self._fresh(f"wave-{wave.number}-move")
        off = DiskMoves(wave=wave, inventory=inventory, spoken=spoken, play=play, tell=on_event)
        live = GuestMoves(wave=wave, folder=folder, inventory=inventory, spoken=spoken, play=play, tell=on_event)
        running = [step for step in steps if is_live(step)]
        others = [step for step in steps if not is_live(step)]
        for result in chain(off.all(others), live.all(running) if running else ()):
            done = [step for step in steps if step.number == result.step and result.state is StepStatus.DONE]
            _, refused = self._hooked(wave, "after", done)
            on_event(StepsEnded(refused or [result]))

    def _told(
        self,
        wave: Wave,
        name: str,
        lanes: Mapping[str, Sequence[Mapping[str, Any]]],
        meanwhile: Callable[[], None] | None = None,
    ) -> PartsHeard:
        """A part of steps, on several hosts at once: what became of each, told once all have ended."""
        folder = self._fresh(f"wave-{wave.number}-{name}")
        variables = {"stead_wave": str(folder), "stead_hosts": sorted(lanes)}
        try:
            for host, mine in lanes.items():
                write_work(folder, host, wave, mine, {"run": self.run_name, "outcomes": {}})
            with self._play(WAVE, folder, variables, len(lanes)) as playing:
                while meanwhile is not None and playing.ended() is None:
                    meanwhile()
                    if wave.stopping():
                        (folder / STOP).touch()
                    time.sleep(LOOK)
                played = playing.wait()
        finally:
            remove_secrets(folder)
        return parts_heard(folder, lanes, played.last_words)

    def _follow(self, wave: Wave, lanes: Mapping[str, Sequence[Step]], folder: Path, on_event: OnEvent) -> None:
        if wave.site_key:
            write_private(folder / KEY, wave.site_key)
        variables = {"stead_wave": str(folder), "stead_hosts": sorted(lanes)}
        left = {host: list(steps) for host, steps in lanes.items()}
        told = dict.fromkeys(lanes, 0)
        with self._play(WAVE, folder, variables, wave.parallel or len(lanes)) as playing:
            while left:
                ended = playing.ended()  # before the look, so that what was written last is seen
                for host in sorted(left):
                    while host in left and (found := read(folder / f"{host}.result-{told[host]}.json")) is not None:
                        told[host] += 1
                        left[host] = self._tell(wave, host, left[host], found, on_event)
                        if not left[host]:
                            del left[host]
                if ended is not None:
                    self._tell_lost(left, folder, ended, on_event)
                    return
                if wave.stopping():
                    (folder / STOP).touch()
                time.sleep(LOOK)
            playing.wait()

    def _tell(
        self, wave: Wave, host: str, steps: Sequence[Step], found: Mapping[str, Any], on_event: OnEvent
    ) -> list[Step]:
        """What is known now of a host's steps. Returns those of which nothing is known yet."""
        told = {
            one["number"]: StepResult(one["number"], _STATES[one["status"]], one["error"], _ready(one))
            for one in found.get("results") or ()
        }
        done = [step for step in steps if step.number in told and told[step.number].state is StepStatus.DONE]
        _, refused = self._hooked(wave, "after", done)
        told.update((one.step, one) for one in refused)
        left = [step for step in steps if step.number not in told]
        for number, one in (found.get("waits") or {}).items() if found.get("more") else ():
            on_event(StepAwaits(int(number), one["waited"], one["for"], one["seen"]))
        if not found.get("more"):
            if why := found.get("unreachable") or (not steps and found.get("msg")):
                on_event(HostSilent(host, str(why)))
            told.update((step.number, _lost(step, host, found)) for step in left)
            left = []
        on_event(StepsEnded([told[step.number] for step in steps if step.number in told]))
        return left

    def _tell_lost(self, left: Mapping[str, Sequence[Step]], folder: Path, played: Played, on_event: OnEvent) -> None:
        """Ansible ended without a word of these: a mistake of the inventory's, or Ansible itself was killed."""
        for host in sorted(left):
            begun = (folder / f"{host}.begun").exists()
            state = StepStatus.UNKNOWN if begun else StepStatus.FAILED
            text = f"Ansible ended with status {played.status} and said nothing of {host}: {played.last_words}"
            if not left[host]:
                on_event(HostSilent(host, text))
            on_event(StepsEnded([StepResult(step.number, state, text) for step in left[host]]))

    def _hooked(self, wave: Wave, when: str, steps: Sequence[Step]) -> tuple[list[Step], list[StepResult]]:
        """The steps whose hooks were carried out, and those that fail with theirs."""
        kept, refused = [], []
        for step in steps:
            error = next(filter(None, map(self._hook_of(step, wave), _at(wave.hooks.get(step.number, ()), when))), "")
            if error:
                refused.append(StepResult(step.number, StepStatus.FAILED, error))
            else:
                kept.append(step)
        return kept, refused

    def _hook_of(self, step: Step, wave: Wave) -> Callable[[PlannedHook], str]:
        def carry_out(hook: PlannedHook) -> str:
            if why := _changed(hook):
                return why
            folder = self._fresh(f"wave-{wave.number}-{step.number}-{hook.when}")
            own = {
                "stead_action": str(step.action),
                "stead_address": str(step.address),
                "stead_host": step.host,
                "stead_uuid": step.uuid,
            }
            with self._play(hook.playbook, folder, {**hook.variables, **own}, 0, environment=bare()) as playing:
                played = playing.wait()
            if played.status == 0:
                return ""
            return f"the playbook {hook.playbook} ended with status {played.status}: {played.last_words}"

        return carry_out

    def _play(
        self,
        playbook: str,
        folder: Path,
        variables: Mapping[str, Any],
        forks: int,
        *,
        environment: Mapping[str, str] = os.environ,
    ) -> Playing:
        write_private(folder / VARIABLES, dict(variables))
        arguments = [word for source in self.inventory for word in ("--inventory", str(source))]
        arguments += ["--extra-vars", f"@{folder / VARIABLES}", *self.arguments]
        arguments += ["--forks", str(min(forks, _MOST_FORKS))] if forks else []
        arguments += ["--check"] if self.check else []
        return Playing([*arguments, playbook], folder / "ansible.log", environment)

    def _fresh(self, name: str) -> Path:
        folder = self.folder / name
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        for old in folder.iterdir():
            old.unlink()
        return folder


# Each is a process of 60 MB on the controller.
_MOST_FORKS = 50


def _rest(wave: Wave) -> None:
    until = time.monotonic() + wave.pause
    while (left := until - time.monotonic()) > 0 and not wave.stopping():
        time.sleep(min(left, LOOK))


def _lost(step: Step, host: str, found: Mapping[str, Any]) -> StepResult:
    """A step of which its host's last word says nothing."""
    if wait := (found.get("waits") or {}).get(str(step.number)):
        text = f"it was made, and the run was stopped after {wait['waited']:.0f} s of waiting for {wait['for']}"
        return StepResult(step.number, StepStatus.FAILED, f"{text}; last seen: {wait['seen'] or 'nothing'}")
    if found.get("stopped"):
        return StepResult(step.number, StepStatus.SKIPPED, "the run was stopped")
    if why := found.get("unreachable"):
        if found["begun"]:
            return StepResult(step.number, StepStatus.UNKNOWN, f"{host} went silent meanwhile: {why}")
        return StepResult(step.number, StepStatus.SKIPPED, f"{host} does not answer: {why}")
    return StepResult(step.number, StepStatus.FAILED, found.get("msg") or "the module said nothing")


def _ready(result: Mapping[str, Any]) -> str:
    ready = result.get("ready")
    return f"{ready['for']} after {ready['seconds']:.0f} s" if ready else ""


def _changed(hook: PlannedHook) -> str:
    """What was planned is what runs."""
    try:
        now = digest_of_folder(Path(hook.playbook).parent)
    except OSError as error:
        return f"the folder of the playbook {hook.playbook} cannot be read: {error.strerror}"
    if now == hook.digest:
        return ""
    return f"the playbook {hook.playbook}, or what lies beside it, has changed since it was planned: plan again"


def _at(hooks: Sequence[PlannedHook], when: str) -> Iterator[PlannedHook]:
    return (hook for hook in hooks if hook.when == when)
