"""Whole specs in the documentation are good ones, so that who copies one begins with something that works."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from stead.cli import main
from stead.kinds import kinds, tasks
from stead.language.module_files import PLUGINS, files, with_returned
from stead.language.reference import pages
from stead.language.schema import schema

ROOT = Path(__file__).parents[3]
SPECS = [
    pytest.param(found[1], id=f"{path.name}:{path.read_text()[: found.start()].count(chr(10)) + 1}")
    for path in (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")))
    for found in re.finditer(r"```ya?ml\n(stead: 1\n.*?)```", path.read_text(), re.DOTALL)
]


def test_there_are_some() -> None:
    assert len(SPECS) > 1


@pytest.mark.parametrize("spec", SPECS)
def test_a_spec_in_the_documentation_is_valid(spec: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "stead.yml").write_text(spec)
    assert main(["validate", str(tmp_path / "stead.yml")]) == 0, capsys.readouterr().err


def test_the_reference_and_the_schema_are_those_of_the_kinds() -> None:
    """`scripts/generate` writes them."""
    there = {path.name: path.read_text() for path in (ROOT / "docs" / "reference").iterdir()}
    assert there == dict(pages(kinds()))
    assert json.loads((ROOT / "schemas" / "spec.json").read_text()) == schema(kinds())


def test_modules_say_what_the_models_say() -> None:
    """`scripts/generate` writes them."""
    assert {path: (ROOT / path).read_text() for path in files(tasks())} == files(tasks())
    for module, task in tasks().items():
        text = (ROOT / PLUGINS / "modules" / f"{module}.py").read_text()
        assert with_returned(text, task) == text
