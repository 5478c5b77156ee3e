# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""When two projects differ: what is recorded of them, and the default group on hosts."""

from __future__ import annotations

from typing import Any, Dict, List

from .compare import compare
from .parts import Identified
from .security_group import RulesWant

__all__ = ["compare"]


class DefaultGroup(RulesWant, total=False):
    """The group of interfaces that name none, where it is not written."""

    name: str


class ProjectWant(Identified, total=False):
    default_group: DefaultGroup  # the rest is for the record only
    domain: str
    members: List[Dict[str, Any]]
    quota: Dict[str, int]
