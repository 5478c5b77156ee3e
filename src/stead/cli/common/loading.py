"""Everything that a plan is made from, read at once: spec, hosts, store and what they report."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from stead.core.diagnostics import Diagnostic, Refused, has_errors
from stead.core.value import value

if TYPE_CHECKING:
    from stead.plan.planner import Inputs
    from stead.runner import Runner
    from stead.store import Store

from stead.cli.common.workspace import (
    Workspace,
    existing_state,
    is_simulated,
    open_state,
    read_hosts,
    read_spec,
    runner_for,
    site_key,
    stored_of,
)


@value
class Loaded:
    """Everything that a plan is made from, and what carries it out."""

    inputs: Inputs
    found: Sequence[Diagnostic]  # warnings; errors were refused
    store: Store
    runner: Runner


def load(workspace: Workspace) -> Loaded:
    """Reads spec, hosts and state. All mistakes of spec and inventory are told together."""
    from stead.blueprint.placement.plugins import load_plugins
    from stead.cli.common import inventories
    from stead.cli.common.hooks import digests
    from stead.core.recorded import Recorded, with_reserved
    from stead.kinds import kinds
    from stead.plan.planner import Inputs
    from stead.recovery.belonging import check
    from stead.store.model import reserved

    inventory, more = read_hosts(workspace)
    if not is_simulated(workspace, inventory):
        from stead.runner.ansible_process import prepare

        prepare()  # it takes as long as reading the spec of a large site
    store = existing_state(workspace)
    documents = store.documents() if store is not None else {}
    desired, found = read_spec(workspace, stored=stored_of(workspace, documents))
    sources = inventory.sources
    found = [*found, *more, *inventories.of_projects(sources, desired.owned)]
    if has_errors(found):
        raise Refused(*found)
    runner = runner_for(workspace, inventory)
    recorded = with_reserved(store.recorded(), reserved(documents.values())) if store is not None else Recorded()
    observed = runner.observe(inventory.hosts, recorded)
    if store is None:  # a site is born only where no host belongs to one
        if refused := check(recorded, observed):
            raise Refused(*refused)
        store = open_state(workspace, create=True)
        recorded = store.recorded()
    inputs = Inputs(
        desired=desired,
        recorded=recorded,
        observed=observed,
        kinds=kinds(),
        key=site_key(workspace),
        plugins=load_plugins(),
        hooks=digests(desired, workspace.root),
        inventory=inventories.digest(sources),
    )
    return Loaded(inputs=inputs, found=found, store=store, runner=runner)
