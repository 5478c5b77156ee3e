"""The cloud as requests meet it: one warm value to read, and the one way to change a document.

A change is planned before it is answered, by the same `make_plan` as the command line's. What the plan chose is
promised with the new version of the document, which is the journal: whoever starts again goes on from there.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from stead.blueprint.placement import relocate
from stead.blueprint.placement.plugins import NO_PLUGINS, PlacementPlugins
from stead.blueprint.settle import Rearrange
from stead.core.address import Address
from stead.core.collecting import no_collecting
from stead.core.diagnostics import Diagnostic, Refused, has_errors
from stead.core.effect import Disruption
from stead.core.kind import Kind
from stead.core.observed import Host, Observed
from stead.core.recorded import Record
from stead.core.value import field, replace, value
from stead.language.desired import Desired
from stead.language.spec.stored import document_of
from stead.plan.build import Selection
from stead.plan.model import Plan
from stead.plan.planner import Inputs, Planned, Wishes, make_plan
from stead.runner import Runner
from stead.serve.apart import faults_of, with_users, without
from stead.serve.as_recorded import as_recorded
from stead.serve.consents import agreed
from stead.serve.edits import Content, Edit, OfAddress, Who
from stead.serve.faults import OF_FILES, Fault, conflict, forbidden, refused
from stead.serve.grants import ConsoleGrants
from stead.serve.joining import WaitingEdit, carry_out, joined
from stead.serve.promises import PlannedEdit, about_of, is_of, said_of
from stead.serve.world import CloudState
from stead.store import Store
from stead.store.codes import OVERTAKEN
from stead.store.model import Document

TRIES = 5  # of an edit that others overtake
Documents = Mapping[str, Document]


@value
class Means:
    """What the command line hands over: where things are, and who reaches the hosts."""

    read: Callable[[Mapping[str, Content]], tuple[Desired, list[Diagnostic]]]  # the spec, with these documents
    open_store: Callable[[], Store]
    runner: Runner
    hosts: Mapping[str, Host]
    kinds: Mapping[str, Kind]
    key: bytes = field(repr=False)
    plugins: PlacementPlugins = NO_PLUGINS
    hooks: Callable[[Desired], Mapping[str, str]] = field(default=lambda _desired: {}, repr=False)
    inventory: str = ""  # digest of its files
    uploads: Path = Path()
    root: Path = Path()
    site_key: str = field(default="", repr=False)
    metrics_token: str = field(default="", repr=False)  # whoever has it may read `/metrics`
    # The last bytes of what a guest wrote on its console. Simulated guests write nothing.
    console_log: Callable[[Record, int], bytes | None] = field(default=lambda _record, _most: None)
    # Makes a file of what is on a resource's disk, as a qcow2 image. Simulated disks are empty.
    save_image: Callable[[Address, Path], None] = field(default=lambda _disk, path: _empty_image(path))
    # Carries out the plan of a review, which was approved; who asks stands in the history.
    apply_reviewed: Callable[[int, str], None] = field(default=lambda _review, _who: None)
    # The command that opens a guest's console, typed into by users. Simulated guests have none.
    console: Callable[[Record], Sequence[str] | None] = field(default=lambda _record: None)
    # The same of its screen, by VNC.
    screen: Callable[[Record], Sequence[str] | None] = field(default=lambda _record: None)


def _empty_image(path: Path) -> None:
    path.write_bytes(b"QFI\xfb" + bytes(508))


class Cloud:
    def __init__(self, means: Means, *, clock: Callable[[], float] = time.time) -> None:
        self.means, self.clock = means, clock
        self.store = means.open_store()
        self.observed: Observed = Observed(hosts=means.hosts)
        self.looked: float | None = None  # when hosts were last asked
        self.faults: Mapping[Address, str] = {}
        self.apart: Mapping[Address, str] = {}  # those of them that cannot be planned
        self.timed: Callable[[float], None] = lambda _seconds: None  # is told how long each plan took
        self.consoles = ConsoleGrants()
        self.woken: Callable[[], None] = lambda: None
        self._lock = threading.RLock()
        self._world: tuple[tuple[int, int, int], CloudState] | None = None
        self._outcome = 0
        self._waiting: deque[WaitingEdit] = deque()
        self._look_store = means.open_store()  # of its own: it is asked in the middle of others' transactions
        self._looking = threading.Lock()

    @contextmanager
    def planning(self) -> Iterator[None]:
        """One reads specs and plans at a time. What that makes is kept or gone at once: collecting is a third of it."""
        with self._lock, no_collecting():
            yield

    def look(self) -> None:
        self.heard(self.means.runner.observe(self.means.hosts, self.store.recorded()), self.faults, self.apart)

    def heard(self, observed: Observed, faults: Mapping[Address, str], apart: Mapping[Address, str]) -> None:
        """From the worker: what the hosts have now, what could not be done, and what of it not even be planned."""
        with self._lock:
            self.observed, self.faults, self.apart = observed, faults, apart
            self._outcome += 1
            self.looked = self.clock()

    def world(self) -> CloudState:
        """While nothing has changed, also for those who ask while somebody plans: so they get to wait together."""
        known = self._world
        if known is not None and known[0] == self.stamp():
            return known[1]
        with self.planning():
            stamp = self.stamp()
            if self._world is None or self._world[0] != stamp:
                self._world = (stamp, self._read())
            return self._world[1]

    def stamp(self) -> tuple[int, int, int]:
        """Another one whenever something has changed."""
        with self._looking:
            return (self._look_store.documents_serial(), self._look_store.serial(), self._outcome)

    def pulse(self) -> tuple[tuple[int, int, int], tuple[int, ...]]:
        """The stamp, and another value whenever a run or a review goes on."""
        with self._looking:
            steps = self._look_store.pulse()
        return self.stamp(), steps

    def _read(self) -> CloudState:
        documents = self.store.documents()
        desired, found = self.means.read(contents_of(documents))
        if has_errors(found) and self._world is not None:
            desired = self._world[1].desired  # somebody edits the site's files: what was last read still holds
        return CloudState(documents=documents, desired=desired, record=self.store.recorded(), faults=self.faults)

    def edit(
        self, project: str, who: Who, reason: str, edit: Edit, *, loses: OfAddress = lambda _one: False
    ) -> CloudState:
        """Plans the changed document, and saves it if that can be done. `loses`: of what its owner agrees to lose."""
        mine = WaitingEdit(project, who, reason, edit, loses)
        self._waiting.append(mine)
        with self.planning():  # whoever comes first does the work of all who wait for it meanwhile
            for some in joined(self._waiting):
                carry_out(some, self._edit)
            return mine.answer()

    def _edit(self, one: WaitingEdit) -> CloudState:
        for _ in range(TRIES):
            world = self.world()
            before = self.owned_document(world, one.project)
            content = one.edit(before.content)
            if content == before.content:
                return world
            after, desired, _ = self._planned(world, before, content, one.who, one.loses)
            try:
                self.store.save_document(replace(after, reason=one.reason))
            except Refused as refusal:
                if all(one.code == OVERTAKEN.id for one in refusal.diagnostics):
                    continue
                raise
            self._follow(after, desired)
            self.woken()
            return self.world()
        raise conflict("Others change the same project all the time. Try again.")

    def preview(
        self, project: str, who: Who, edit: Edit, *, loses: OfAddress = lambda _one: False
    ) -> tuple[CloudState, CloudState, Plan]:
        """What an edit would make of the cloud, and the plan for it. Nothing is saved."""
        with self.planning():
            world = self.world()
            before = self.owned_document(world, project)
            after, desired, plan = self._planned(world, before, edit(before.content), who, loses)
            return world, world.after(after, desired), plan

    def begin(self, project: str, who: Who, content: Content, reason: str = "create project") -> CloudState:
        """The first version of a project's document."""
        with self.planning():
            last = next(iter(self.store.versions(project, 1)), None)
            nothing = Document(project=project, revision=last.revision if last else 0, who="", reason="")
            after, _, _ = self._planned(self.world(), nothing, content, who, lambda _one: False)
            self.store.save_document(replace(after, reason=reason))
            self.woken()
            return self.world()

    def end(self, project: str, who: Who) -> None:
        """No version after this one: what the project has is destroyed by the next apply."""
        with self._lock:
            before = self.owned_document(self.world(), project)
            self.store.save_document(
                Document(project=project, revision=before.revision + 1, who=who.name, reason="delete project")
            )
            self.woken()

    def owned_document(self, world: CloudState, project: str) -> Document:
        document = world.documents.get(project)
        if document is None:
            file = world.owner_file(project)
            if not file:
                raise forbidden("There is no such project.")
            text = f"This project belongs to files: {file}. Change it there, and apply. Reading works here as well."
            raise Fault(403, OF_FILES.id, text)
        return document

    def _follow(self, saved: Document, desired: Desired) -> None:
        """What was read to plan by is what there is now, unless others have written meanwhile: then it is read anew."""
        if self._world is not None:
            (documents, serial, outcome), world = self._world
            self._world = ((documents + 1, serial, outcome), world.after(saved, desired))

    def _planned(
        self, world: CloudState, before: Document, content: Content, who: Who, loses: OfAddress
    ) -> tuple[Document, Desired, Plan]:
        project, file = before.project, document_of(before.project)
        documents = {**contents_of(world.documents), project: content}
        desired, found = self.means.read(documents)
        if has_errors(found):
            refused(found, project, file)
        apart = self._apart(before, content)
        while True:
            planned, found = self.plan(desired, world, {project}, apart)
            others = with_users(faults_of(found, world.documents.keys() - {project}), desired)
            if planned.plan is not None and not has_errors(found):
                break
            if apart >= others.keys():
                refused(found, project, file)
            apart |= others.keys()
        for step in planned.plan.steps:
            lost = step.disturbs is Disruption.DATA_LOSS and step.address in desired.by_address
            if lost and not loses(step.address) and not agreed(step, content):
                raise conflict(f"It would lose data: {step.loses or step.address}. Nothing was done.")
        after = Document(project=project, revision=before.revision + 1, who=who.name, reason="", content=content)
        about = about_of(before, after, PlannedEdit(planned.plan, desired, world, self.clock(), who.id))
        return replace(after, about=about), desired, planned.plan

    def _apart(self, before: Document, content: Content) -> frozenset[Address]:
        """Of what cannot be planned: all but what this edit is to mend."""
        return frozenset(
            one
            for one in self.apart
            if not is_of(one, before.project) or said_of(before.content, one) == said_of(content, one)
        )

    def plan(
        self, desired: Desired, world: CloudState, projects: Iterable[str], apart: Collection[Address] = ()
    ) -> tuple[Planned, list[Diagnostic]]:
        """Of these projects and what they need; what people of files have not applied yet is theirs to apply."""
        inputs = self.inputs(without(desired, apart), world, as_recorded(self.observed, world.made))
        selection = Selection(wanted=in_projects(projects), unwanted=frozenset(apart).__contains__)
        began = time.perf_counter()
        try:
            return make_plan(inputs, Wishes(selection=selection))
        finally:
            self.timed(time.perf_counter() - began)

    def plan_move(self, address: Address, to: str) -> tuple[Planned, list[Diagnostic]]:
        """Of one resource to another host, or to the best."""
        with self.planning():
            world = self.world()
            inputs = self.inputs(without(world.desired, self.apart), world, as_recorded(self.observed, world.made))
            selection = Selection(wanted=in_projects({address.project}), unwanted=self.apart.__contains__)
            return make_plan(inputs, Wishes(selection=selection, rearrange=moving(address, to)))

    def inputs(self, desired: Desired, world: CloudState, observed: Observed) -> Inputs:
        return Inputs(
            desired=desired,
            recorded=world.recorded,
            observed=observed,
            kinds=self.means.kinds,
            key=self.means.key,
            plugins=self.means.plugins,
            hooks=self.means.hooks(desired),
            inventory=self.means.inventory,
        )


def moving(address: Address, to: str) -> Rearrange:
    return lambda problem, placed: relocate(problem, placed, str(address), to)


def contents_of(documents: Documents) -> dict[str, Content]:
    return {name: one.content for name, one in documents.items()}


def in_projects(projects: Iterable[str]) -> OfAddress:
    names = frozenset(projects)
    return lambda address: address.project in names or (address.kind == "projects" and address.name in names)
