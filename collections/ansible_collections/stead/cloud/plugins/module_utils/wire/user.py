# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""When two users differ. Only recorded: who logs in to the API, and no host."""

from __future__ import annotations

from .compare import compare

__all__ = ["compare"]
