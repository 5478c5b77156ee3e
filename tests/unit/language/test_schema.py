"""The JSON Schema takes what the language takes: every spec and part that stands in the examples, docs and cases."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from ruamel.yaml import YAML

from stead.kinds import kinds
from stead.language.schema import part, schema

ROOT = Path(__file__).parent.parent.parent.parent
CASES = [
    (f"{path.parent.name}: {case['case']}", document.get("base", "") + case["spec"], case["found"])
    for path in sorted((ROOT / "tests/cases").glob("**/spec*.yml"))
    for document in [yaml.safe_load(path.read_text())]
    for case in document["cases"]
    if case["case"] != "two byte order marks"  # of which the reader takes one
]
WRONG = {  # what a schema sees: the field, whether it is there, and its type
    name: text for name, text, found in CASES if found and all(re.match(r"STEAD-L00[123] ", one) for one in found)
}
# What is wrong with these only the reader sees.
BEYOND = {
    "language: an expression that comes to the wrong type",
    "language: a mistake inside a part points into the part",
    "language: choices that are a map",
    "language: a least of words",
    "language: what is missing is missing in the definition",
}


def specs() -> Iterator[tuple[str, str]]:
    for path in sorted([*(ROOT / "examples").glob("**/*.yml"), *(ROOT / "tests").glob("**/everything.yml")]):
        yield str(path.relative_to(ROOT)), path.read_text(encoding="utf-8")
    for path in sorted([*(ROOT / "docs").glob("*.md"), ROOT / "README.md"]):
        for number, block in enumerate(re.findall(r"```yaml\n(.*?)```", path.read_text(encoding="utf-8"), re.DOTALL)):
            yield f"{path.name} {number}", block
    yield from ((name, text) for name, text, found in CASES if not found)


SPECS = [pytest.param(text, id=name) for name, text in specs() if "stead: 1" in text]


@cache
def judge(*, of_a_part: bool) -> jsonschema.Draft202012Validator:
    return jsonschema.Draft202012Validator(part(kinds()) if of_a_part else schema(kinds()))


def read(text: str) -> Any:
    return YAML(typ="safe", pure=True).load(text)


@pytest.mark.parametrize("text", SPECS)
def test_what_the_language_takes_the_schema_takes(text: str) -> None:
    data = read(text)
    is_part = not data.keys() & {"projects", "site", "grants", "outputs"} and bool(
        data.keys() & {"instances", "volumes"}
    )
    assert [one.message for one in judge(of_a_part=is_part).iter_errors(data)] == []


@pytest.mark.parametrize("name", sorted(WRONG.keys() - BEYOND))
def test_what_has_a_wrong_field_the_schema_refuses(name: str) -> None:
    assert list(judge(of_a_part=False).iter_errors(read(WRONG[name])))
