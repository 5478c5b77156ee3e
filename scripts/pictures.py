"""Writes the pictures of the documentation: what commands print, as one sees it in a terminal."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from io import StringIO
from pathlib import Path

from rich.console import Console
from rich.terminal_theme import MONOKAI
from rich.text import Text

ROOT = Path(__file__).parents[1]
STEAD = Path(sys.executable).with_name("stead")
WIDTH = 100


def printed(folder: str, *words: str) -> str:
    environment = {**os.environ, "FORCE_COLOR": "1", "COLUMNS": str(WIDTH)}
    done = subprocess.run([STEAD, *words], cwd=folder, env=environment, capture_output=True, text=True, check=True)
    return done.stdout


def plan_of_the_demo() -> str:
    """As SVG."""
    with tempfile.TemporaryDirectory() as folder:
        printed(folder, "init", "demo", "-C", ".")
        told = printed(folder, "plan")
    console = Console(record=True, width=WIDTH, file=StringIO(), force_terminal=True)
    console.print(Text.from_ansi(f"$ stead plan\n{told.rstrip()}"))
    drawn = console.export_svg(title="stead plan", theme=MONOKAI, unique_id="stead-plan")
    return re.sub(r"@font-face \{.*?\}\s*|<!--.*?-->\s*", "", drawn, flags=re.DOTALL)  # fonts would come from elsewhere


if __name__ == "__main__":
    pictures = ROOT / "docs" / "pictures"
    pictures.mkdir(exist_ok=True)
    (pictures / "plan.svg").write_text(plan_of_the_demo(), encoding="utf-8")
