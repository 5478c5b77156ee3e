"""Which projects belong to the API although the store has no document of them, and what hosts are to keep. Pure.

A project without its document looks like one that nobody wants any more: a plan would destroy all that it has. Hosts
say that it is the API's, so nothing is planned until a person has said what is meant.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from stead.core.address import Address
from stead.core.diagnostics import Code, Diagnostic, Severity
from stead.core.observed import Observed
from stead.core.recorded import Recorded
from stead.language.desired import Desired

LOST = Code("STEAD-S037", "the document of a project of the API is missing")
NOT_RECOVERED = Code("STEAD-S038", "no host has the document of a project of the API", Severity.WARNING)
ENDED = -1  # in the place of a revision: the host keeps nothing of the project any more


def lost(desired: Desired, recorded: Recorded, observed: Observed) -> frozenset[str]:
    """A document that ended is known to have. Where files say what the project has, they are what counts."""
    kept = {project for projects in observed.documents.values() for project in projects} - recorded.documented
    if not kept:
        return frozenset()
    there = {address.project for address in (*recorded.resources, *observed.haves)}
    return frozenset((kept & there) - {block.project for block in desired.blocks})


def check(desired: Desired, recorded: Recorded, observed: Observed) -> Iterator[Diagnostic]:
    """Errors: nothing is planned."""
    for project in sorted(lost(desired, recorded, observed)):
        text = (
            f"Hosts say that project {project} is managed through the API, and the store has no document of it: a plan "
            "would destroy everything in the project. Nothing was planned. Restore the store from a backup; or run "
            "`stead recover --merge`, if a host of the role controller did not answer before. Otherwise write the "
            "resources of the project in files; or, if the project is to go, run "
            f"`stead destroy --project {project}`."
        )
        yield LOST.at(None, text, address=f"projects/{project}")


def not_recovered(desired: Desired, recorded: Recorded, observed: Observed) -> Iterator[Diagnostic]:
    for project in sorted(lost(desired, recorded, observed)):
        text = (
            f"Project {project} is managed through the API, and no host that answered has its document, sealed with "
            "this site's key. Nothing is planned until it is known what the project should have. Restore the store "
            "from a backup. Otherwise write the resources of the project in files; or, if the project is to go, run "
            f"`stead destroy --project {project}`."
        )
        yield NOT_RECOVERED.at(None, text, address=f"projects/{project}")


def owed(
    live: Mapping[str, int], lost: frozenset[str], observed: Observed, touched: Iterable[tuple[str, Address]]
) -> dict[str, dict[str, int]]:
    """Host -> project -> revision that it is to keep from now on, of hosts that answer.

    `live` are the documents of the store, by revision. Controllers keep them whole; a host that has something to do in
    a project (`touched`) keeps the word that it is the API's; what has ended, or is of files now, is kept nowhere.
    """
    answers = {name: host for name, host in observed.hosts.items() if host.state.answers}
    found: dict[str, dict[str, int]] = {}
    for name, host in answers.items():
        has = observed.documents.get(name, {})
        keeps = live if "controller" in host.roles else {}
        news = {project: revision for project, revision in keeps.items() if has.get(project, 0) < revision}
        news |= {project: ENDED for project in has if project not in live and project not in lost}
        if news:
            found[name] = news
    for name, address in touched:
        project = address.project
        if project in live and name in answers and project not in observed.documents.get(name, {}):
            found.setdefault(name, {}).setdefault(project, 0)
    return found
