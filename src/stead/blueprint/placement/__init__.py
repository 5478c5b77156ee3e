"""Placement: which host each instance and volume goes to, why, and what would help where none fits.

A pure library: a `Problem` in, a `Placement` out, and questions about it. It knows nothing of stores, hosts over SSH,
YAML or rendering. Importing it must not import numpy, which a plan of a few instances never needs.
"""

from __future__ import annotations

import sys
from importlib import import_module
from typing import TYPE_CHECKING, Any

from .model import (
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
from .place import place

if TYPE_CHECKING:
    from .capacity import Capacity, Fit, Use, capacity, copies, what_if
    from .explain import Explanation, explain
    from .filters import Broken
    from .rebalance import Rebalance, drain, headroom, rebalance
    from .scene import Scene
    from .sites import load_sites
    from .suggest import Advice, Suggestion, relaxed, suggest
    from .survive import Failure, Survival, survive
    from .warm import Warm
    from .waves import Waves, waves

# Asked for by few commands, so imported when they are.
_LATER = {
    "Advice": ".suggest",
    "Broken": ".filters",
    "Capacity": ".capacity",
    "Explanation": ".explain",
    "Failure": ".survive",
    "Fit": ".capacity",
    "Rebalance": ".rebalance",
    "Scene": ".scene",
    "Suggestion": ".suggest",
    "Survival": ".survive",
    "Use": ".capacity",
    "Warm": ".warm",
    "Waves": ".waves",
    "capacity": ".capacity",
    "copies": ".capacity",
    "drain": ".rebalance",
    "explain": ".explain",
    "headroom": ".rebalance",
    "load_sites": ".sites",
    "rebalance": ".rebalance",
    "relaxed": ".suggest",
    "suggest": ".suggest",
    "survive": ".survive",
    "waves": ".waves",
    "what_if": ".capacity",
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
    import_module(module, __name__)
    _uncover()
    return globals()[name]


def _uncover() -> None:
    """Importing a module puts it here under its own name, where a function of the same name is meant."""
    for name, module in _LATER.items():
        loaded = sys.modules.get(f"{__name__}{module}")
        if loaded is not None:
            globals()[name] = getattr(loaded, name)
