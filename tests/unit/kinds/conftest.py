"""Lets tests import what builds blocks for them, under the name that type checkers know it by."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[3]))
