"""Placement: which host each instance and volume goes to, why, and what would help where none fits.

A pure library: a `Problem` in, a `Placement` out, and questions about it. It knows nothing of stores, hosts over SSH,
YAML or rendering. Importing it must not import numpy, which a plan of a few instances never needs.
"""

from __future__ import annotations

from .explain import Explanation, explain
from .filters import Broken
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
from .scene import Scene
from .suggest import Advice, Suggestion, relaxed, suggest

__all__ = [
    "Advice",
    "Broken",
    "Explanation",
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
    "Request",
    "Scene",
    "SiteFilter",
    "SiteScorer",
    "Suggestion",
    "Unplaced",
    "explain",
    "numbered",
    "place",
    "relaxed",
    "suggest",
]
