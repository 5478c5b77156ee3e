"""Who else may see an image, and whether it may be used: notes of the document of its project.

What is shared is used by copies: see `copies`. So no project's document needs what is another's.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from stead.core.named import NamedTuple
from stead.serve.edits import NO_SECTION, Content, Edit
from stead.serve.world import NOTHING, CloudState

SHARING = "serve_sharing"  # a section of documents that the planner does not read: image -> what is said of it
VISIBILITY, MEMBERS, INACTIVE, HIDDEN = "visibility", "members", "inactive", "hidden"
PRIVATE, SHARED, COMMUNITY, PUBLIC = "private", "shared", "community", "public"
VISIBILITIES = (PRIVATE, SHARED, COMMUNITY, PUBLIC)
ACCEPTED, PENDING, REJECTED = "accepted", "pending", "rejected"


class SharedImage(NamedTuple):
    """An image of another project, as this one sees it."""

    project: str
    key: str
    status: str  # accepted, pending or rejected; empty where nobody asks


def said_of(world: CloudState, project: str, key: str) -> Mapping[str, Any]:
    document = world.documents.get(project)
    said: Mapping[str, Any] = document.content.get(SHARING, NO_SECTION).get(key, NOTHING) if document else NOTHING
    return said


def noted(key: str, **said: Any) -> Edit:
    """None forgets."""

    def edit(content: Content) -> Content:
        section = content.get(SHARING, NO_SECTION)
        mine = {name: one for name, one in {**section.get(key, NOTHING), **said}.items() if one}
        others = {name: one for name, one in section.items() if name != key}
        return _with(content, {**others, key: mine} if mine else others)

    return edit


def forgotten(key: str) -> Edit:
    return lambda content: _with(
        content, {name: one for name, one in content.get(SHARING, NO_SECTION).items() if name != key}
    )


def _with(content: Content, section: Mapping[str, Any]) -> Content:
    rest = {name: one for name, one in content.items() if name != SHARING}
    return {**rest, SHARING: section} if section else rest


def others(world: CloudState, project: str) -> Iterator[SharedImage]:
    """All that other projects let this one see."""
    me = world.project_id(project)
    for owner, document in world.documents.items():
        if owner != project:
            for key, said in document.content.get(SHARING, NO_SECTION).items():
                visibility, members = said.get(VISIBILITY, PRIVATE), said.get(MEMBERS, NOTHING)
                if visibility in (PUBLIC, COMMUNITY):
                    yield SharedImage(owner, key, "")
                elif visibility == SHARED and me in members:
                    yield SharedImage(owner, key, members[me]["status"])
