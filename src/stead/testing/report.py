"""Results of tests, for people and for CI."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Sequence
from typing import Any

from stead.core.named import NamedTuple
from stead.plan.render.values import legible, safe


class TestResult(NamedTuple):
    file: str
    name: str
    wrong: tuple[str, ...]  # what was not as expected; empty when the test holds


def text(results: Sequence[TestResult]) -> list[str]:
    lines = []
    for one in results:
        lines.append(f"{'ok  ' if not one.wrong else 'FAIL'} {one.file}: {one.name}")
        lines += [f"       {what}" for what in one.wrong]
    failed = sum(1 for one in results if one.wrong)
    return [*lines, f"{len(results) - failed} passed, {failed} failed"]


def as_data(results: Sequence[TestResult]) -> dict[str, Any]:
    return {
        "passed": sum(1 for one in results if not one.wrong),
        "failed": sum(1 for one in results if one.wrong),
        "tests": [{"file": one.file, "name": one.name, "wrong": list(one.wrong)} for one in results],
    }


def junit(results: Sequence[TestResult]) -> str:
    failed = sum(1 for one in results if one.wrong)
    suite = ET.Element("testsuite", name="stead test", tests=str(len(results)), failures=str(failed))
    for one in results:
        # XML has no place for what steers a terminal, not even escaped.
        case = ET.SubElement(suite, "testcase", classname=safe(one.file), name=safe(one.name))
        if one.wrong:
            ET.SubElement(case, "failure", message=legible(one.wrong[0])).text = "\n".join(map(legible, one.wrong))
    return ET.tostring(suite, encoding="unicode", xml_declaration=True)
