"""Projects in projects: they share a domain, and roles are inherited down. Resources and quotas are each one's own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from stead.serve.faults import bad, forbidden
from stead.serve.identity import held
from stead.serve.identity.answers import domain_asked
from stead.serve.identity.registry import PROJECT
from stead.serve.routes import Call
from stead.serve.world import bare

DEEPEST = 5  # projects in each other
Tree = Mapping[str, Any] | None


def place_of(call: Call, said: Mapping[str, Any]) -> tuple[str, str]:
    """The project that a new one is in, if it is in any, and its domain."""
    asked = said.get("parent_id")
    if asked is None or call.world.project(asked) is None:
        domain = domain_asked(call, {**said, "domain_id": said.get("domain_id") or asked})
        if asked not in (None, domain):
            raise bad("parent_id is a project, or the domain of the new one.")
        return "", domain
    parent = bare(asked)
    domain = call.people.domain_of_project(parent)
    if said.get("domain_id") not in (None, domain):
        raise bad("A project is in the domain of the project that it is in.")
    if len(held.parents_of(call.people.known(), parent)) + 2 > DEEPEST:
        raise forbidden(f"At most {DEEPEST} projects are in each other.")
    return parent, domain


def children_of(call: Call, project: str) -> list[str]:
    return [name for name, one in call.people.of_kind(PROJECT) if one.get("parent") == project]


def must_be_a_leaf(call: Call, project: str) -> None:
    if inner := children_of(call, project):
        raise forbidden(f"Projects are in this one: {', '.join(inner[:3])}. Delete them first.")


def asked(call: Call, project: str) -> dict[str, Any]:
    """What is above and below, where the query asks for it. Ids alone: those who may see more ask for them."""
    words = [name for name, _ in call.query]
    found: dict[str, Any] = {}
    if "parents_as_ids" in words:
        found["parents"] = _chain(held.parents_of(call.people.known(), project))
    if "subtree_as_ids" in words:
        found["subtree"] = _tree(call, project)
    return found


def _chain(parents: list[str]) -> Tree:
    return {parents[0]: _chain(parents[1:])} if parents else None


def _tree(call: Call, project: str) -> Tree:
    return {one: _tree(call, one) for one in children_of(call, project)} or None
