# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""When two ports differ. Only recorded: the interface that uses a port has its own step."""

from __future__ import annotations

from .compare import compare

__all__ = ["compare"]
