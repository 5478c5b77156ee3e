# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""When two networks differ, as one host has them: the wire, the ports behind other hosts, and the services."""

from __future__ import annotations

from .compare import compare

__all__ = ["compare"]
