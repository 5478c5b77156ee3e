"""Requests and what they are answered with, as data: each file of `tests/cases/serve` is a story on a site of its own.

A step has a method with its path, who asks (`as`), a `body`, and what is expected: `status`, `has` (path in the answer
-> value), `lacks`, `code`. `keep` gives names to values of the answer, for `<name>` in later steps. `idle` waits for
the worker.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.serve.served import Site

CASES = sorted((Path(__file__).parent.parent / "cases" / "serve").glob("*.yml"))
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
UUID = re.compile(r"[0-9a-f]{8}-?([0-9a-f]{4}-?){3}[0-9a-f]{12}")


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_requests_are_answered_as_the_cases_say(path: Path, own_site: Site) -> None:
    site = own_site
    known: dict[str, Any] = {f"{name}_project": one for name, one in site.projects.items()}
    known |= {f"{name}_user": site.people.named(name) for name in ("ada", "bob", "eve", "ray")}
    for number, step in enumerate(yaml.safe_load(path.read_text(encoding="utf-8")), 1):
        if step.get("idle"):
            assert site.worker.wait_idle(30)
        method = next((name for name in METHODS if name in step), "")
        if not method:
            continue
        what = f"step {number}: {step.get('name', '')} {method} {step[method]}"
        body, raw = filled(step.get("body"), known), step.get("raw")
        status, headers, answer = site.call(
            method,
            filled(step[method], known),
            body,
            step.get("as", ""),
            headers=filled(step.get("headers", {}), known),
            raw=None if raw is None else str(raw).encode(),
        )
        assert status == step.get("status", 200), f"{what}: {answer}"
        if "code" in step:
            assert headers["x-stead-code"] == step["code"], f"{what}: {answer}"
        for where, value in step.get("has", {}).items():
            found = at(answer, where)
            assert fits(found, filled(value, known)), f"{what}: {where} is {found!r}, not {value!r}"
        for text in step.get("lacks", ()):
            assert filled(text, known) not in str(answer), what
        for name, where in step.get("keep", {}).items():
            known[name] = headers[where[1:]] if where.startswith("@") else at(answer, where)


def filled(value: Any, known: dict[str, Any]) -> Any:
    match value:
        case str():
            return re.sub(r"<([a-z_0-9]+)>", lambda match: str(known[match[1]]), value)
        case dict():
            return {filled(name, known): filled(one, known) for name, one in value.items()}
        case list():
            return [filled(one, known) for one in value]
        case _:
            return value


def at(answer: Any, where: str) -> Any:
    """`servers.0.name`; `servers.#` is how many there are."""
    for word in where.split("."):
        if word == "#":
            return len(answer)
        answer = answer[int(word)] if isinstance(answer, list) else answer[word]
    return answer


def fits(found: Any, wanted: Any) -> bool:
    if wanted == "$uuid":
        return UUID.fullmatch(found) is not None
    if wanted == "$any":
        return True
    if isinstance(wanted, str) and wanted.startswith("$has "):
        return wanted.removeprefix("$has ") in str(found)
    return bool(found == wanted)
