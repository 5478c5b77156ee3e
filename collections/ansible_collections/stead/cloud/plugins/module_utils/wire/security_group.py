# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""When two security groups differ: their rules, and the addresses that the rules name by group."""

from __future__ import annotations

from .compare import compare

__all__ = ["compare"]
