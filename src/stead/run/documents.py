"""What hosts are told to keep of the API's documents, for the day that the store is lost.

Documents are sealed with the site's key before they leave, whether the store has a key of its own or not: on their way
they lie in files of the run.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import suppress

from stead.core.diagnostics import Refused
from stead.core.observed import KeptDocument
from stead.plan.model import Plan
from stead.plan.planner import Inputs
from stead.recovery.documents import ENDED, lost, owed
from stead.store.documents import from_kept, to_keep
from stead.store.model import Document
from stead.store.sealing import Seal, Sealed

Told = Mapping[str, KeptDocument | None]  # project -> what is kept of it from now on; None: nothing


def documents_to_tell(plan: Plan, inputs: Inputs, documents: Mapping[str, Document]) -> dict[str, Told]:
    """By host."""
    if not documents and not inputs.observed.documents:
        return {}
    live = {project: one.revision for project, one in documents.items()}
    missing = lost(inputs.desired, inputs.recorded, inputs.observed)
    touched = ((step.host, step.address) for step in plan.steps if step.host and step.want is not None)
    news = owed(live, missing, inputs.observed, touched)
    wanted = {project for one in news.values() for project, revision in one.items() if revision > 0}
    seal = _seal(inputs.key) if wanted else None
    whole = {project: to_keep(documents[project], seal) for project in wanted} if seal is not None else {}
    return {host: {name: _told(whole, name, at) for name, at in one.items()} for host, one in news.items()}


def _told(whole: Mapping[str, KeptDocument], project: str, revision: int) -> KeptDocument | None:
    return None if revision == ENDED else whole[project] if revision else KeptDocument()


def opened(project: str, kept: Iterable[KeptDocument], key: bytes) -> Document | None:
    """The first that this key has sealed, for this project and revision: a host cannot make one up."""
    for one in kept:
        if one.content:
            with suppress(Refused, ValueError):
                return from_kept(project, one, _seal(key))
    return None


def _seal(key: bytes) -> Seal:
    return Sealed(key.hex(), "")
