"""Placement: which host each instance and volume goes to, why, and what would help where none fits.

A pure library: a `Problem` in, a `Placement` out, and questions about it. It knows nothing of stores, hosts over SSH,
YAML or rendering. Importing it must not import numpy, which a plan of a few instances never needs.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from stead.blueprint.placement.model import (
    GroupKind,
    HostState,
    Move,
    Over,
    Overfull,
    Placement,
    PlacementGroup,
    PlacementHost,
    PlacementReason,
    Policy,
    Problem,
    Request,
    SiteFilter,
    SiteScorer,
    Unplaced,
    numbered,
)
from stead.blueprint.placement.place import place

if TYPE_CHECKING:
    from stead.blueprint.placement.filters import Broken
    from stead.blueprint.placement.moves.asked import drain, holding, relocate, restore
    from stead.blueprint.placement.moves.rebalance import Rebalance, headroom, rebalance
    from stead.blueprint.placement.moves.waves import Waves, waves
    from stead.blueprint.placement.plugins import load_plugins
    from stead.blueprint.placement.queries.capacity import Capacity, Fit, ResourceUse, capacity, copies, what_if
    from stead.blueprint.placement.queries.evaluation import Evaluation
    from stead.blueprint.placement.queries.explain import Explanation, explain
    from stead.blueprint.placement.queries.failure_analysis import Failure, FailureAnalysis, failure_analysis
    from stead.blueprint.placement.queries.incremental import Incremental
    from stead.blueprint.placement.queries.suggest import Advice, Suggestion, relaxed, suggest

# Asked for by few commands, so imported when they are.
_LATER = {
    "Advice": ".queries.suggest",
    "Broken": ".filters",
    "Capacity": ".queries.capacity",
    "Evaluation": ".queries.evaluation",
    "Explanation": ".queries.explain",
    "Failure": ".queries.failure_analysis",
    "FailureAnalysis": ".queries.failure_analysis",
    "Fit": ".queries.capacity",
    "Incremental": ".queries.incremental",
    "Rebalance": ".moves.rebalance",
    "ResourceUse": ".queries.capacity",
    "Suggestion": ".queries.suggest",
    "Waves": ".moves.waves",
    "capacity": ".queries.capacity",
    "copies": ".queries.capacity",
    "drain": ".moves.asked",
    "relocate": ".moves.asked",
    "restore": ".moves.asked",
    "explain": ".queries.explain",
    "failure_analysis": ".queries.failure_analysis",
    "headroom": ".moves.rebalance",
    "holding": ".moves.asked",
    "load_plugins": ".plugins",
    "rebalance": ".moves.rebalance",
    "relaxed": ".queries.suggest",
    "suggest": ".queries.suggest",
    "waves": ".moves.waves",
    "what_if": ".queries.capacity",
}

__all__ = [
    "Advice",
    "Broken",
    "Capacity",
    "Evaluation",
    "Explanation",
    "Failure",
    "FailureAnalysis",
    "Fit",
    "GroupKind",
    "HostState",
    "Incremental",
    "Move",
    "Over",
    "Overfull",
    "Placement",
    "PlacementGroup",
    "PlacementHost",
    "PlacementReason",
    "Policy",
    "Problem",
    "Rebalance",
    "Request",
    "ResourceUse",
    "SiteFilter",
    "SiteScorer",
    "Suggestion",
    "Unplaced",
    "Waves",
    "capacity",
    "copies",
    "drain",
    "explain",
    "failure_analysis",
    "headroom",
    "holding",
    "load_plugins",
    "numbered",
    "place",
    "rebalance",
    "relaxed",
    "relocate",
    "restore",
    "suggest",
    "waves",
    "what_if",
]


def __getattr__(name: str) -> Any:
    module = _LATER.get(name)
    if module is None:
        raise AttributeError(name)
    found = globals()[name] = getattr(import_module(module, __name__), name)
    return found
