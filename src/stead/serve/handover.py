"""A project passes from the API to files, or from files to the API. It is refused where anything of it would change."""

from __future__ import annotations

from collections.abc import Mapping

from stead.core.diagnostics import Code, Diagnostic, Refused, has_errors
from stead.language.desired import Desired
from stead.language.spec.exported import exported
from stead.serve.cloud import Cloud, contents_of
from stead.serve.edits import Content, Who
from stead.serve.promises import is_of
from stead.serve.world import CloudState
from stead.store.model import Document

NOT_OF_API = Code("STEAD-C070", "the project does not belong to the API")
OF_API = Code("STEAD-C071", "the project belongs to the API already")
NOT_ALIKE = Code("STEAD-C072", "the project would change with its owner")
SHOWN = 5  # steps of a refusal


def document_named(world: CloudState, name: str) -> Document:
    """By its key, or by the name that its people gave it."""
    for thing in world.things("projects"):
        if name in (thing.address.name, thing.name) and thing.address.name in world.documents:
            return world.documents[thing.address.name]
    there = ", ".join(sorted(world.documents)) or "none"
    raise Refused(NOT_OF_API.at(None, f"The API has no project {name!r}. Projects of the API: {there}."))


def text_of(cloud: Cloud, name: str) -> str:
    document = document_named(cloud.world(), name)
    sections = {word: one for word, one in document.content.items() if word == "project" or word in cloud.means.kinds}
    return exported(document.project, sections)


def to_files(cloud: Cloud, name: str, who: Who) -> str:
    """The file that has it from now on."""
    cloud.look()
    world = cloud.world()
    before = document_named(world, name)
    others = {project: one for project, one in contents_of(world.documents).items() if project != before.project}
    desired = _assert_alike(cloud, world, before.project, others)
    revision, reason = before.revision + 1, "hand over to files"
    cloud.store.save_document(Document(project=before.project, revision=revision, who=who.name, reason=reason))
    return next(one.node.file for one in desired.blocks if one.project == before.project)


def to_api(cloud: Cloud, project: str, content: Content, who: Who) -> None:
    cloud.look()
    world = cloud.world()
    if project in world.documents:
        raise Refused(OF_API.at(None, f"The API has project {project} already. Nothing was done."))
    _assert_alike(cloud, world, project, {**contents_of(world.documents), project: content})
    cloud.begin(project, who, content, reason="hand over to the API")


def _assert_alike(cloud: Cloud, world: CloudState, project: str, documents: Mapping[str, Content]) -> Desired:
    desired, found = cloud.means.read(documents)
    if has_errors(found):
        raise Refused(*found)
    planned, found = cloud.plan(desired, world, {project})
    if planned.plan is None or has_errors(found):
        raise Refused(*found)
    steps = [f"{one.action} {one.address}" for one in planned.plan.steps if is_of(one.address, project)]
    if steps or not any(one.project == project for one in desired.blocks):
        raise Refused(_not_alike(project, steps))
    return desired


def _not_alike(project: str, steps: list[str]) -> Diagnostic:
    shown = ", ".join(steps[:SHOWN]) + (f" and {len(steps) - SHOWN} more" if len(steps) > SHOWN else "")
    text = (
        f"The next plan would have steps for it: {shown}. Nothing was done. Run `stead apply` first, so that nothing "
        f"waits; then `stead export {project}` writes the file that changes nothing."
        if steps
        else f"The new owner has nothing of {project}. Nothing was done. Include the file that `stead export` wrote."
    )
    return NOT_ALIKE.at(None, text, address=project)
