# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""When two flavors differ. Only recorded: what instances get of one is in the instances."""

from __future__ import annotations

from .compare import compare

__all__ = ["compare"]
