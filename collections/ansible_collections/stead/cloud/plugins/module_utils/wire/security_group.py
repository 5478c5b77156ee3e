# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""When two security groups differ: their rules, and the addresses that the rules name by group."""

from __future__ import annotations

from typing import Dict, List, TypedDict

from .compare import compare
from .parts import Identified

__all__ = ["compare"]


class RuleWant(TypedDict, total=False):
    direction: str
    protocol: str
    family: str
    ports: List[str]
    type: int
    code: int
    cidr: str
    group: str


class RulesWant(TypedDict, total=False):
    drivers: List[str]  # of members' networks, where that is not the first one alone
    rules: List[RuleWant]
    sets: Dict[str, List[str]]  # group -> addresses of its members


class SecurityGroupWant(Identified, RulesWant, total=False):
    stateful: bool
