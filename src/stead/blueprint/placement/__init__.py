"""Placement: which host each instance and volume goes to, why, and what would help where none fits.

A pure library: a `Problem` in, a `Placement` out, and questions about it. It knows nothing of stores, hosts over SSH,
YAML or rendering. Importing it must not import numpy, which a plan of a few instances never needs.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from stead.blueprint.placement.model import (
    Group,
    GroupKind,
    Host,
    HostState,
    Move,
    Over,
    Overfull,
    Placement,
    Policy,
    Problem,
    Reason,
    Request,
    SiteFilter,
    SiteScorer,
    Unplaced,
    numbered,
)
from stead.blueprint.placement.place import place

if TYPE_CHECKING:
    from stead.blueprint.placement.filters import Broken
    from stead.blueprint.placement.moves.rebalance import Rebalance, drain, headroom, rebalance
    from stead.blueprint.placement.moves.waves import Waves, waves
    from stead.blueprint.placement.plugins import load_sites
    from stead.blueprint.placement.queries.capacity import Capacity, Fit, Use, capacity, copies, what_if
    from stead.blueprint.placement.queries.evaluation import Scene
    from stead.blueprint.placement.queries.explain import Explanation, explain
    from stead.blueprint.placement.queries.failure_analysis import Failure, Survival, survive
    from stead.blueprint.placement.queries.incremental import Warm
    from stead.blueprint.placement.queries.suggest import Advice, Suggestion, relaxed, suggest

# Asked for by few commands, so imported when they are.
_LATER = {
    "Advice": ".queries.suggest",
    "Broken": ".filters",
    "Capacity": ".queries.capacity",
    "Explanation": ".queries.explain",
    "Failure": ".queries.failure_analysis",
    "Fit": ".queries.capacity",
    "Rebalance": ".moves.rebalance",
    "Scene": ".queries.evaluation",
    "Suggestion": ".queries.suggest",
    "Survival": ".queries.failure_analysis",
    "Use": ".queries.capacity",
    "Warm": ".queries.incremental",
    "Waves": ".moves.waves",
    "capacity": ".queries.capacity",
    "copies": ".queries.capacity",
    "drain": ".moves.rebalance",
    "explain": ".queries.explain",
    "headroom": ".moves.rebalance",
    "load_sites": ".plugins",
    "rebalance": ".moves.rebalance",
    "relaxed": ".queries.suggest",
    "suggest": ".queries.suggest",
    "survive": ".queries.failure_analysis",
    "waves": ".moves.waves",
    "what_if": ".queries.capacity",
}

__all__ = [
    "Advice",
    "Broken",
    "Capacity",
    "Explanation",
    "Failure",
    "Fit",
    "Group",
    "GroupKind",
    "Host",
    "HostState",
    "Move",
    "Over",
    "Overfull",
    "Placement",
    "Policy",
    "Problem",
    "Reason",
    "Rebalance",
    "Request",
    "Scene",
    "SiteFilter",
    "SiteScorer",
    "Suggestion",
    "Survival",
    "Unplaced",
    "Use",
    "Warm",
    "Waves",
    "capacity",
    "copies",
    "drain",
    "explain",
    "headroom",
    "load_sites",
    "numbered",
    "place",
    "rebalance",
    "relaxed",
    "suggest",
    "survive",
    "waves",
    "what_if",
]


def __getattr__(name: str) -> Any:
    module = _LATER.get(name)
    if module is None:
        raise AttributeError(name)
    found = globals()[name] = getattr(import_module(module, __name__), name)
    return found
