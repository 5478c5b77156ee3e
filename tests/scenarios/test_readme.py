"""What the README and the tutorial tell a new user to type on a laptop works as it stands there."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def blocks(page: str) -> list[str]:
    """Of the laptop's part."""
    text = (ROOT / page).read_text(encoding="utf-8").partition("## On a laptop")[2].partition("\n## ")[0]
    return text.split("```")[1::2]


def without_installing(block: str) -> str:
    lines = [line for line in block.strip().splitlines() if "pip install" not in line]
    assert lines
    return "\n".join(lines)


def typed(commands: str, folder: Path) -> str:
    environment = {**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    done = subprocess.run(
        ["bash", "-euxc", commands], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout + done.stderr


def test_the_commands_for_a_laptop_work_in_their_order(tmp_path: Path) -> None:
    (block,) = blocks("README.md")
    assert "5 passed" in typed(without_installing(block), tmp_path)


def test_the_tutorial_works_in_its_order(tmp_path: Path) -> None:
    first, changed, failed, wrong, gone = map(without_installing, blocks("docs/tutorial.md"))
    assert "Nothing to do: 14 unchanged." in typed(first, tmp_path)
    site = tmp_path / "demo"
    assert "web[3]" in typed(changed, site)
    assert "compute-1 does not answer" in typed(failed, site)
    assert "Did you mean 'spread'?" in typed(wrong.replace("stead validate", "! stead validate"), site)
    assert typed("stead validate", site)
    assert "destroy" in typed(gone, site)


def test_links_of_the_documentation_lead_somewhere(tmp_path: Path) -> None:
    """As a site, built from a copy."""
    shutil.copytree(ROOT / "docs", tmp_path / "docs")
    (tmp_path / "zensical.toml").write_text((ROOT / "zensical.toml").read_text(encoding="utf-8"), encoding="utf-8")
    said = typed("zensical build --strict", tmp_path)
    assert "No issues found" in said
    pages = {path.relative_to(ROOT / "docs").as_posix() for path in (ROOT / "docs").rglob("*.md")}
    shown = (ROOT / "zensical.toml").read_text(encoding="utf-8")
    assert sorted(page for page in pages if f'"{page}"' not in shown and not page.startswith("adr/")) == []


def test_pictures_show_what_commands_print(monkeypatch: pytest.MonkeyPatch) -> None:
    """`scripts/generate` draws them."""
    monkeypatch.syspath_prepend(str(ROOT / "scripts"))
    from pictures import plan_of_the_demo  # type: ignore[import-not-found]

    assert plan_of_the_demo() == (ROOT / "docs" / "pictures" / "plan.svg").read_text(encoding="utf-8")
