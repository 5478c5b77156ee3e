"""The one who applies. What has been accepted goes together into the next plan; what comes meanwhile, into the next.

It keeps no list: it plans from the documents, so a server that was killed goes on by planning again, and nothing is
done twice. What a person applies by hand at the same time wins or waits by the store's own lock.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Collection, Iterable, Mapping

from stead.blueprint.settle import Rearrange
from stead.core.address import Address
from stead.core.diagnostics import Diagnostic, Refused, has_errors
from stead.core.effect import Disruption
from stead.core.value import replace
from stead.language.desired import Desired
from stead.plan.build import Selection
from stead.plan.file import to_bytes
from stead.plan.model import Plan
from stead.plan.planner import Planned, Wishes, make_plan
from stead.run.apply import apply
from stead.run.documents import Told, documents_to_tell
from stead.run.model import Applied, Options
from stead.serve import notes
from stead.serve.apart import faults_of, with_users, without
from stead.serve.cloud import Cloud, Documents, contents_of, in_projects, moving
from stead.serve.consents import agreed
from stead.serve.edits import Content, Who, all_of
from stead.serve.image.saving import ImageSaver
from stead.serve.world import CloudState
from stead.store import Store
from stead.store.codes import LOCKED
from stead.store.model import ReviewState

logger = logging.getLogger("stead.serve")
WHO = "stead serve"
SOON, LATEST = 2.0, 300.0  # seconds until what failed is tried again, at first and at last
WAITING = 1.0  # for a person's apply to end


class Worker:
    def __init__(self, cloud: Cloud) -> None:
        self._cloud, self._means = cloud, cloud.means
        self._wake, self._stop = threading.Event(), threading.Event()
        self._idle = threading.Event()
        self._retry = SOON
        self.plans = 0  # that were applied, for who measures
        self._images = ImageSaver(cloud)
        cloud.woken = self.wake
        self._thread = threading.Thread(target=self._work, name="apply", daemon=True)

    def start(self) -> None:
        """Begins with what an earlier server accepted and did not end. Requests are planned by what hosts say now."""
        self._cloud.look()
        self._wake.set()
        self._thread.start()
        self._images.start()

    def wake(self) -> None:
        self._idle.clear()
        self._wake.set()
        self._images.wake()

    def stop(self) -> None:
        """Returns when the apply that runs has ended: nothing new begins."""
        self._stop.set()
        self._images.stop()
        self._wake.set()
        if self._thread.is_alive():
            self._thread.join()

    def wait_idle(self, seconds: float) -> bool:
        return self._idle.wait(seconds)

    def _work(self) -> None:
        store = self._means.open_store()  # a connection of this thread's own
        try:
            pause: float | None = None
            while not self._stop.is_set():
                self._wake.wait(pause)
                self._wake.clear()
                if not self._stop.is_set():
                    pause = self._round(store)
                if pause is None and not self._wake.is_set():
                    self._idle.set()
        finally:
            store.close()

    def _round(self, store: Store) -> float | None:
        """Returns after how long to try again, or None when all is done."""
        try:
            done = self._once(store)
        except Refused as refusal:
            if any(one.code == LOCKED.id for one in refusal.diagnostics):
                return WAITING
            logger.warning("%s", refusal)
            done = False
        except Exception:
            logger.exception("An apply ended in a fault of our own. It is tried again.")
            done = False
        if done:
            self._retry = SOON
            return None
        self._retry = min(self._retry * 2, LATEST)
        return self._retry / 2

    def _once(self, store: Store) -> bool:
        """What fails for one project keeps nothing of another's from being done."""
        self._reviewed(store)
        documents = store.documents()
        contents = contents_of(documents)
        halting = frozenset[Address]()
        if asked := {name: keys for name, one in contents.items() if (keys := notes.rebooting(one))}:
            halted = {name: notes.stopped(one, asked.get(name, [])) for name, one in contents.items()}
            undone = self._applied(store, documents, halted)
            if undone is None:
                return False
            halting = undone.intersection(Address(name, "instances", key) for name in asked for key in asked[name])
            self._halted(asked, halting)
            documents = store.documents()
            contents = contents_of(documents)
        undone = self._applied(store, documents, contents)
        if undone is None:
            return False
        self._moved(store, documents, contents)
        return not undone and not halting

    def _reviewed(self, store: Store) -> None:
        """Plans that were approved and shall be applied. What cannot be done has ended, and its review says why."""
        for review in reversed(store.reviews()):
            last = review.events[-1]
            cut = review.state is ReviewState.APPLYING and last.who == WHO  # by an earlier server
            if review.state is ReviewState.ASKED or cut:
                self._means.apply_reviewed(review.id, WHO)

    def _halted(self, asked: Mapping[str, Iterable[str]], halting: frozenset[Address]) -> None:
        """Those that are off now are started by the next plan; the others are asked again."""
        for name, keys in asked.items():
            off = [key for key in keys if Address(name, "instances", key) not in halting]
            if off:
                done = all_of(*(notes.note(key, reboot=None) for key in off))
                self._cloud.edit(name, Who(WHO, ""), "reboot", done)

    def _moved(self, store: Store, documents: Documents, contents: Mapping[str, Content]) -> None:
        """One after the other. What cannot be done is told, and not tried again."""
        for project, content in contents.items():
            for key, host in notes.to_move(content):
                server = Address(project, "instances", key)
                self._applied(store, documents, contents, moving(server, host))
                record = store.record(server)
                status = "completed" if record is not None and record.host == host else "error"
                ended = notes.ended(key, notes.ACCEPTED, status, self._cloud.clock())
                self._cloud.edit(project, Who(WHO, ""), "end a migration", ended)

    def _applied(
        self, store: Store, documents: Documents, contents: Mapping[str, Content], move: Rearrange | None = None
    ) -> frozenset[Address] | None:
        """What could not be done; None where nothing could be planned."""
        with self._cloud.planning():
            desired, found = self._means.read(contents)
        if has_errors(found):
            logger.warning("%s", "; ".join(f"{one.code} {one.detail}" for one in found))
            return None
        record = store.recorded()
        observed = self._means.runner.observe(self._means.hosts, record)
        world = CloudState(documents=documents, desired=desired, record=record, faults={})
        self._cloud.heard(observed, self._cloud.faults, self._cloud.apart)
        with self._cloud.planning():
            planned, apart = self._plan(desired, world, {*documents, *_left(store, world)}, move)
        if planned.plan is None or planned.blueprint is None:
            self._cloud.heard(observed, apart, apart)
            return None
        if planned.plan.empty:
            self._cloud.heard(observed, apart, apart)
            return frozenset(apart)
        told = documents_to_tell(planned.plan, self._cloud.inputs(desired, world, observed), documents)
        applied = self._apply(planned.plan, planned, store, told)
        self.plans += 1
        after = self._means.runner.observe(self._means.hosts, store.recorded())
        undone = {one.step.address: one.why for one in (*applied.failed, *applied.skipped, *applied.unknown)}
        undone = {**apart, **undone}
        self._cloud.heard(after, undone, apart)
        return frozenset(undone)

    def _plan(
        self, desired: Desired, world: CloudState, projects: Collection[str], move: Rearrange | None
    ) -> tuple[Planned, Mapping[Address, str]]:
        """And what is left apart for it cannot be planned, with the reason of each."""
        apart: Mapping[Address, str] = {}
        while True:
            planned, found = self._plan_without(apart, desired, world, projects, move)
            if not has_errors(found):
                return planned, apart
            for one in found:
                logger.warning("%s %s", one.code, one.detail)
            more = with_users({**apart, **faults_of(found, projects)}, desired)
            if more.keys() == apart.keys():
                return replace(planned, plan=None), apart
            apart = more

    def _plan_without(
        self,
        apart: Mapping[Address, str],
        whole: Desired,
        world: CloudState,
        projects: Iterable[str],
        move: Rearrange | None,
    ) -> tuple[Planned, list[Diagnostic]]:
        """Nor with what would lose data that nobody has agreed to lose: that waits for a person's own apply."""
        desired = without(whole, apart)
        inputs, wanted = self._cloud.inputs(desired, world, self._cloud.observed), in_projects(projects)
        contents = contents_of(world.documents)
        selection = Selection(wanted=wanted, unwanted=apart.__contains__)
        planned, found = make_plan(inputs, Wishes(selection=selection, rearrange=move))
        if planned.plan is None:
            return planned, found
        lost = frozenset(
            step.address
            for step in planned.plan.steps
            if step.disturbs is Disruption.DATA_LOSS
            and step.address in desired.by_address
            and not agreed(step, contents.get(step.address.project, {}))
        )
        if not lost:
            return planned, found
        logger.warning("Left alone, for data would be lost: %s", ", ".join(map(str, sorted(lost))))
        selection = Selection(wanted=wanted, unwanted=frozenset((*lost, *apart)).__contains__)
        return make_plan(inputs, Wishes(selection=selection, rearrange=move))

    def _apply(self, plan: Plan, planned: Planned, store: Store, documents: Mapping[str, Told]) -> Applied:
        options = Options(
            who=WHO,
            reason=f"{len(plan.steps)} steps of accepted requests",
            secrets=planned.blueprint.secrets if planned.blueprint is not None else {},
            site_key=self._means.site_key,
            documents=documents,
            root=self._means.root,
            content=to_bytes(plan),
        )
        return apply(plan, store, self._means.runner, now=plan.made, options=options)


def _left(store: Store, world: CloudState) -> set[str]:
    """Projects whose documents have ended, and of which something is recorded still."""
    known = {address.project or address.name for address in world.made if address.project or address.kind == "projects"}
    there = {block.project or block.name for block in world.desired.blocks if block.project or block.kind == "projects"}
    return {name for name in known - there if store.versions(name, 1)}
