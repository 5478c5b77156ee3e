# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""When two projects differ: what is recorded of them, and the default group on hosts."""

from __future__ import annotations

from .compare import compare

__all__ = ["compare"]
