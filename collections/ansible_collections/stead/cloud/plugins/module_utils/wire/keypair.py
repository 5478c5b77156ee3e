# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""When two key pairs differ. Only recorded: instances hold the keys they were made with."""

from __future__ import annotations

from .compare import compare

__all__ = ["compare"]
