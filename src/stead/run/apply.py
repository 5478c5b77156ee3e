"""Does exactly what a plan says, wave by wave. Makes no choice, and refuses a plan whose inputs have changed since.

After a failure there is no undo: what does not depend on it goes on, the rest is skipped and said, and the next plan
goes on from there.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress

from stead.core.diagnostics import Code, Refused
from stead.core.effect import Action
from stead.core.recorded import told_of_hosts
from stead.core.want import sealed_in
from stead.plan.model import Made, Plan, PlannedHook, Step, follows
from stead.run.interrupts import Interrupts, interrupts_of
from stead.run.journal import RunJournal, begin_metering, of_waves
from stead.run.model import Applied, NotDone, OnProgress, Options, Pausing, Progress, Stopping, WaveBegan
from stead.runner import Event, HostSilent, Runner, StepAwaits, StepResult, StepsBegan, StepsEnded, StepStatus, Wave
from stead.store import Hold, Store
from stead.store.model import LockRequest, Outcome, Start, Writes, moment

STALE = Code("STEAD-A001", "the plan is out of date")
FORGED = Code("STEAD-A003", "the plan file differs from the plan of the same inputs")

_NOTHING_ON_HOSTS = frozenset({Action.FORGET, Action.ACCEPT})


def _unheard(_event: Progress) -> None:
    pass


def apply(
    plan: Plan, store: Store, runner: Runner, *, now: Made, options: Options, on_event: OnProgress = _unheard
) -> Applied:
    """`now` says what the spec and the hosts are at this moment; what is recorded is looked up under the lock."""
    with store.lock(
        LockRequest(options.who, options.reason or f"apply of plan {plan.digest[:12]}", options.lives)
    ) as hold:
        check_fresh(plan, now, store)
        if refused := runner.refusals(plan.steps):
            raise Refused(*refused)
        begin_metering(store, hold)
        if plan.empty and dict(plan.outputs) == dict(store.outputs()):
            _remember_hosts(plan, store, hold, options)
            return Applied(run=0, outcome=Outcome.DONE)
        journal = RunJournal(store, hold, plan, store.recorded())
        with interrupts_of(lambda: on_event(Stopping())) as interrupts:
            start = Start(options.who, options.reason, plan.digest, len(plan.steps), options.content)
            journal.start(start, options.proofs)
            work = _Work(plan, journal, runner, options, interrupts, on_event)
            try:
                work.all()
            except KeyboardInterrupt:
                work.abandon()
            except Exception:  # the runner's fault, or the lock is lost: what was heard so far is kept if it may be
                with suppress(Refused):
                    journal.flush()
                raise
            return work.close()


def _remember_hosts(plan: Plan, store: Store, hold: Hold, options: Options) -> None:
    """Where nothing else is to be done: what is known of them once they are silent."""
    hosts = told_of_hosts(plan.silence, store.recorded().hosts, options.who, options.proofs)
    if hosts:
        store.edit(hold, options.who, "hosts", Writes(hosts=hosts))


def check_fresh(plan: Plan, now: Made, store: Store) -> None:
    made = plan.made
    changed = []
    if made.stead != now.stead:
        changed.append(f"It was made by Stead {made.stead}, and this is {now.stead}.")
    if made.spec != now.spec:
        changed.append("The spec has changed since: its files, variables or what they include.")
    serial = store.serial()
    if made.recorded != serial:
        changed.append(f"The recorded state has changed since ({made.recorded} -> {serial}){_by_whom(store)}.")
    if made.inventory != now.inventory:
        changed.append("The inventory has changed since: its files, or group_vars and host_vars beside it.")
    if made.observed != now.observed:
        changed.append("What the hosts report has changed since.")
    if changed:
        raise Refused(STALE.at(None, "\n".join([*changed, "Nothing was done. Plan again and look at what is new."])))


def _by_whom(store: Store) -> str:
    latest = next(iter(store.runs(1)), None)
    return f"; the last run is {latest.id}, by {latest.who}, {moment(latest.started)}" if latest else ""


class _Work:
    """One run: which steps are done, and what that means for those that wait."""

    def __init__(
        self,
        plan: Plan,
        journal: RunJournal,
        runner: Runner,
        options: Options,
        interrupts: Interrupts,
        on_event: OnProgress,
    ) -> None:
        self._plan, self._journal, self._runner, self._options = plan, journal, runner, options
        self._interrupts, self._on_event = interrupts, on_event
        self._states: dict[int, StepStatus] = {}
        self._begun: set[int] = set()
        self._bad: dict[int, str] = {}  # steps that are not done and will not be -> why
        self._silent: dict[str, str] = {}
        self._waited: dict[int, str] = {}
        self._documents = dict(options.documents)  # by hosts that have not been told yet
        self._untold = ""  # why nothing was begun
        self._hooks: dict[int, list[PlannedHook]] = {}
        for hook in plan.hooks:
            self._hooks.setdefault(hook.step, []).append(hook._replace(playbook=str(options.root / hook.playbook)))

    def all(self) -> None:
        if not self._told_of_dead():
            return
        waves = of_waves(self._plan)
        for at, (number, steps) in enumerate(waves.items(), 1):
            if self._interrupts.stopping():
                return
            self._on_event(WaveBegan(at, len(waves), len(steps)))
            self._wave(number, steps)
        if self._documents and not self._interrupts.stopping():  # nothing was done on any host
            self._runner.run(self._wave_of(self._plan.waves, [], informs=tuple(self._documents)), self._hear)

    def _told_of_dead(self) -> bool:
        """Before anything begins elsewhere, every host that answers has heard who is dead: a host that comes back asks
        them."""
        hears = self._plan.silence.hears
        if not hears:
            return True
        self._runner.run(self._wave_of(self._plan.waves, [], informs=hears), self._hear)
        untold = [
            f"{host} could not be told who is dead: {self._silent[host]}" for host in hears if host in self._silent
        ]
        if untold:
            self._untold = f"nothing begins before every host that answers knows; {'; '.join(untold)}"
        return not untold and not self._interrupts.stopping()

    def _wave_of(self, number: int, steps: Sequence[Step], *, informs: tuple[str, ...] = (), pause: int = 0) -> Wave:
        hosts = {*informs, *(step.host for step in steps)}
        documents = {host: self._documents.pop(host) for host in hosts & self._documents.keys()}
        return Wave(
            documents=documents,
            number=number,
            steps=steps,
            secrets=self._secrets_of(steps),
            site_key=self._options.site_key if steps or documents else "",
            hooks={step.number: found for step in steps if (found := self._hooks.get(step.number))},
            origin=self._journal.origin,
            keeps=self._plan.keeps,
            follows=follows(self._plan, steps),
            informs=informs,
            dead=self._journal.dead,
            pause=pause,
            parallel=self._options.parallel,
            stopping=self._interrupts.stopping,
        )

    def _secrets_of(self, steps: Sequence[Step]) -> dict[int, Mapping[str, str]]:
        """To each step what its want refers to, of its own project's."""
        known, found = self._options.secrets, dict[int, Mapping[str, str]]()
        for step in steps if known else ():
            if step.want is None:
                continue
            body, own = step.want.body.text, step.want.own
            if ids := sealed_in(body) | sealed_in(own):
                project = step.address.project
                found[step.number] = {one: known[project, one] for one in sorted(ids) if (project, one) in known}
        return found

    def abandon(self) -> None:
        """At once: what is running is left as it is, in flight."""
        self._interrupts.count = max(self._interrupts.count, 2)

    def _wave(self, number: int, steps: Sequence[Step]) -> None:
        ready = self._ready(steps)
        on_paper, on_hosts = _parted(ready)
        late = self._record([step for step in on_paper if self._met(step)], on_paper)
        if on_hosts:
            if pause := self._pause_before(on_hosts):
                self._on_event(Pausing(pause))
            informs = tuple(host for host in self._documents if host not in self._silent)
            self._runner.run(self._wave_of(number, on_hosts, informs=informs, pause=pause), self._hear)
            with self._interrupts.held_off():
                self._journal.flush()
            self._left_over(on_hosts)
        while late and (now := [step for step in late if self._met(step)]):
            late = self._record(now, late)
        for step in late:
            self._skip(step, self._why_blocked(step) or "what it waits for was not done")

    def _pause_before(self, steps: Sequence[Step]) -> int:
        """Only where this run has done something of the same definition before."""
        asked = [step for step in steps if step.pause]
        if not asked:
            return 0
        tried = {StepStatus.DONE, StepStatus.FAILED, StepStatus.UNKNOWN}
        before = {self._plan.steps[one].address.block for one, state in self._states.items() if state in tried}
        return max((step.pause for step in asked if step.address.block in before), default=0)

    def _record(self, now: Sequence[Step], waiting: Sequence[Step]) -> list[Step]:
        """Does what touches no host. Returns what still waits."""
        if now:
            with self._interrupts.held_off():
                self._journal.recorded_only(now)
            self._states.update((step.number, StepStatus.DONE) for step in now)
            self._on_event(StepsEnded([StepResult(step.number, StepStatus.DONE) for step in now]))
        done = {step.number for step in now}
        return [step for step in waiting if step.number not in done]

    def _ready(self, steps: Sequence[Step]) -> list[Step]:
        """Without those that wait for what will not be done. Steps stand in an order in which that is known."""
        found = []
        for step in steps:
            if self._bad and (why := self._why_blocked(step)):
                self._skip(step, why)
            elif step.host in self._silent:
                self._skip(step, f"{step.host} does not answer: {self._silent[step.host]}")
            else:
                found.append(step)
        return found

    def _met(self, step: Step) -> bool:
        return all(self._states.get(one) is StepStatus.DONE for one in step.after)

    def _why_blocked(self, step: Step) -> str:
        for one in step.after:
            if one in self._bad:
                other = self._plan.steps[one]
                where = f" on {other.host}" if other.host else ""
                return f"it waits for the {other.action} of {other.address}{where}, which was not done"
        return ""

    def _skip(self, step: Step, why: str) -> None:
        self._bad[step.number] = why
        self._states[step.number] = StepStatus.SKIPPED

    def _hear(self, event: Event) -> None:
        with self._interrupts.held_off():
            match event:
                case StepsBegan(numbers):
                    self._begun.update(numbers)
                    self._journal.began([self._plan.steps[one] for one in numbers])
                case StepsEnded(results):
                    self._journal.ended(results)
                    for number, state, error, ready in results:
                        self._states[number] = state
                        if ready:
                            self._waited[number] = ready
                        if state is not StepStatus.DONE:
                            blocked = self._why_blocked(self._plan.steps[number]) if state is StepStatus.SKIPPED else ""
                            self._bad[number] = blocked or error
                case HostSilent(host, why):
                    self._silent[host] = why
                case StepAwaits():
                    pass
        self._on_event(event)

    def _left_over(self, steps: Sequence[Step]) -> None:
        """What the runner said nothing of."""
        for step in steps:
            if step.number in self._states:
                continue
            if step.number in self._begun:
                self._states[step.number] = StepStatus.UNKNOWN
                self._bad[step.number] = "nothing was heard of it after it began"
            elif step.host in self._silent:
                self._skip(step, f"{step.host} does not answer: {self._silent[step.host]}")
            elif self._interrupts.stopping():
                self._skip(step, "the run was stopped")
            else:
                self._skip(step, self._why_blocked(step) or "it was not begun")

    def close(self) -> Applied:
        told: dict[StepStatus, list[NotDone]] = {StepStatus.FAILED: [], StepStatus.SKIPPED: [], StepStatus.UNKNOWN: []}
        done = 0
        for step in self._plan.steps:
            state = self._states.get(step.number)
            if state is StepStatus.DONE:
                done += 1
                continue
            if state is None:
                state = StepStatus.UNKNOWN if step.number in self._begun else StepStatus.SKIPPED
                self._bad.setdefault(step.number, self._untold or "the run was stopped")
            told[state].append(NotDone(step, self._bad.get(step.number, "")))
        outcome = self._outcome(done)
        with self._interrupts.held_off():
            self._journal.skipped(told[StepStatus.SKIPPED])
            self._journal.finish(outcome)
        self._on_event(
            StepsEnded([StepResult(one.step.number, StepStatus.SKIPPED, one.why) for one in told[StepStatus.SKIPPED]])
        )
        return Applied(
            run=self._journal.run,
            outcome=outcome,
            done=done,
            failed=tuple(told[StepStatus.FAILED]),
            skipped=tuple(told[StepStatus.SKIPPED]),
            unknown=tuple(told[StepStatus.UNKNOWN]),
            silent=self._silent,
            ready=tuple(NotDone(self._plan.steps[number], text) for number, text in sorted(self._waited.items())),
        )

    def _outcome(self, done: int) -> Outcome:
        if done == len(self._plan.steps) and not self._untold:
            return Outcome.DONE
        return Outcome.STOPPED if self._interrupts.stopping() else Outcome.FAILED


def _parted(steps: Sequence[Step]) -> tuple[list[Step], list[Step]]:
    """What is only recorded, and what the runner does."""
    on_paper = [step for step in steps if not step.host or step.action in _NOTHING_ON_HOSTS]
    on_hosts = [step for step in steps if step.host and step.action not in _NOTHING_ON_HOSTS]
    return on_paper, on_hosts
