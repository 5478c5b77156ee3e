"""One change of the documents of several projects: planned as one, and saved at one moment or not at all."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from stead.core.diagnostics import Refused, has_errors
from stead.core.effect import Disruption
from stead.core.value import replace
from stead.language.desired import Desired
from stead.language.spec.stored import document_of
from stead.plan.model import Plan
from stead.serve.cloud import TRIES, Cloud, contents_of
from stead.serve.edits import Edit, Who
from stead.serve.faults import conflict, refused
from stead.serve.promises import PlannedEdit, about_of
from stead.serve.world import CloudState
from stead.store.codes import OVERTAKEN
from stead.store.model import Document

Edits = Mapping[str, Edit]  # by project; who asks is of the last one, and is told why it cannot be
Check = Callable[[Plan], None]  # refuses a plan that is not what was meant


def edit_together(
    cloud: Cloud, who: Who, reason: str, edits: Callable[[CloudState], Edits], check: Check
) -> CloudState:
    """`edits` looks at what is so now, and is asked again where others have saved something meanwhile."""
    with cloud.planning():
        for _ in range(TRIES):
            world = cloud.world()
            saved = _planned(cloud, world, who, edits(world), check)
            try:
                cloud.store.save_document(*(replace(one, reason=reason) for one in saved))
            except Refused as refusal:
                if all(one.code == OVERTAKEN.id for one in refusal.diagnostics):
                    continue
                raise
            cloud.woken()
            return cloud.world()
    raise conflict("Others change the same projects all the time. Try again.")


def _planned(cloud: Cloud, world: CloudState, who: Who, edits: Edits, check: Check) -> list[Document]:
    before = {project: cloud.owned_document(world, project) for project in edits}
    contents = {project: edit(before[project].content) for project, edit in edits.items()}
    desired, found = cloud.means.read({**contents_of(world.documents), **contents})
    asking = list(edits)[-1]
    if has_errors(found):
        refused(found, asking, document_of(asking))
    planned, found = cloud.plan(desired, world, edits.keys(), frozenset(cloud.apart))
    if planned.plan is None or has_errors(found):
        refused(found, asking, document_of(asking))
    _must_lose_nothing(planned.plan, desired)
    check(planned.plan)
    told = PlannedEdit(planned.plan, desired, world, cloud.clock(), who.id)
    return [_next(before[project], contents[project], who, told) for project in edits]


def _must_lose_nothing(plan: Plan, desired: Desired) -> None:
    for step in plan.steps:
        if step.disturbs is Disruption.DATA_LOSS and step.address in desired.by_address:
            raise conflict(f"It would lose data: {step.loses or step.address}. Nothing was done.")


def _next(before: Document, content: Mapping[str, object], who: Who, told: PlannedEdit) -> Document:
    after = Document(project=before.project, revision=before.revision + 1, who=who.name, reason="", content=content)
    return replace(after, about=about_of(before, after, told))
