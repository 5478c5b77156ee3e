"""What all expressions of a plan may cost together."""

from __future__ import annotations

from pathlib import Path

import pytest

from stead.core.diagnostics import Diagnostic
from stead.kinds import kinds
from stead.language import expressions
from stead.language.desired import resolve
from stead.language.spec import load

SPEC = """stead: 1
vars: {long: "%s"}
images: {debian: {source: /d.qcow2}}
flavors: {small: {vcpus: 2, memory: 1GiB, disk: 10GiB}}
projects:
  acme:
    networks: {app: {subnets: {v4: {cidr: 10.20.0.0/20}}}}
    instances:
      web: {count: %d, flavor: small, image: debian, networks: [app], labels: {a: "{{ (vars.long | upper)[index] }}"}}
"""


def found(folder: Path, count: int) -> list[Diagnostic]:
    (folder / "stead.yml").write_text(SPEC % ("x" * 1_000, count))
    spec, wrong = load([folder / "stead.yml"], kinds(), root=folder)
    assert wrong == []
    return resolve(spec, key=b"")[1]


def test_many_cheap_expressions_cost_what_they_cost(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each is far below what one may cost. And a plan's budget is its own."""
    monkeypatch.setattr(expressions, "WHOLE", 1_000_000)
    for _ in range(3):
        assert found(tmp_path, 200) == []
    told = found(tmp_path, 900)
    assert {one.code for one in told} == {"STEAD-L050"}
    assert "All expressions of the spec together" in told[0].detail


@pytest.mark.parametrize(
    ("text", "times"),
    [
        ("y" * 1_000 + "{{ one }}", 180),
        ("{{ [long, one] }}", 40),
        ("{{ {one: one} }}", 400),
        ("\U0001f600" * 250 + "{{ one }}", 180),
    ],
)
def test_what_expressions_come_to_is_counted_in_bytes(monkeypatch: pytest.MonkeyPatch, text: str, times: int) -> None:
    """A long text of which one letter differs costs no steps, and a million members have one each."""
    scope = {"one": 1, "long": list(range(100))}

    def made(times: int) -> None:
        expressions.new_budget()
        for _ in range(times):
            expressions.evaluate(text, scope)

    with monkeypatch.context() as patch:
        patch.setattr(expressions, "KEPT", 200_000)
        made(times)
        made(times)  # a budget is one plan's
        with pytest.raises(expressions.BoundExceeded, match="together come to too much"):
            made(2 * times)
    expressions.new_budget()


def test_a_sum_of_lists_is_counted_as_it_is_made() -> None:
    expressions.new_budget()
    with pytest.raises(expressions.BoundExceeded, match="too many steps"):
        expressions.evaluate("{{ rows | sum(start=[]) | length }}", {"rows": [[1]] * 100_000})
    assert expressions.evaluate("{{ rows | sum(start=[]) | length }}", {"rows": [[1]] * 100}) == 100
