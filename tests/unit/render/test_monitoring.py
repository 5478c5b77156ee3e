"""Rules and dashboards of contrib/ are valid, and ask for nothing that nobody writes."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from tests.prometheus import promtool

from ansible_collections.stead.cloud.plugins.module_utils.host.observe import measuring
from stead.core.observed import Host, Observed
from stead.core.recorded import Recorded
from stead.kinds import kinds
from stead.serve.metrics.counting import ServerCounts
from stead.serve.metrics.site import SiteReading, families
from stead.store.model import Outcome, RunInfo

CONTRIB = Path(__file__).parents[3] / "contrib"
RULES = CONTRIB / "prometheus" / "rules.yml"
BOARDS = sorted((CONTRIB / "grafana").glob("*.json"))
OTHERS = {"node_textfile_mtime_seconds"}  # node_exporter's own


def written() -> set[str]:
    run = RunInfo(1, "ada", "", "p", 1.0, 2.0, Outcome.DONE, 1, 1, 0, 0)
    host = Host(name="c1", roles=frozenset({"compute"}))
    site = SiteReading(Recorded(), Observed(hosts={"c1": host}), 1.0, kinds(), {}, run, {})
    told = [*families(site), *ServerCounts().families(), *measuring.metrics([], 0.0)]
    names = {one.name for one in told}
    return names | {
        f"{one.name}{end}" for one in told if one.kind == "histogram" for end in ("_bucket", "_sum", "_count")
    }


def recorded() -> set[str]:
    groups = yaml.safe_load(RULES.read_text())["groups"]
    return {rule["record"] for group in groups for rule in group["rules"] if "record" in rule}


def asked() -> Iterator[tuple[str, str]]:
    """(where, expression)"""
    for group in yaml.safe_load(RULES.read_text())["groups"]:
        for rule in group["rules"]:
            yield f"{RULES.name} {rule.get('alert') or rule['record']}", rule["expr"]
    for path in BOARDS:
        board = json.loads(path.read_text())
        for panel in board["panels"]:
            yield from ((f"{path.name} {panel['title']}", target["expr"]) for target in panel["targets"])
        for variable in board["templating"]["list"]:
            if variable["type"] == "query":
                yield f"{path.name} ${variable['name']}", variable["definition"]


def test_nothing_is_asked_for_that_nobody_writes() -> None:
    known = written() | recorded() | OTHERS
    for where, text in asked():
        names = set(re.findall(r"\b(?:[a-z]+:)?(?:stead|node)_[a-z0-9_]+(?::[a-z0-9_]+)?", text))
        assert names, where
        assert names <= known, (where, names - known)


def test_prometheus_takes_the_rules_and_they_do_what_they_say() -> None:
    for words in (["check", "rules", "rules.yml"], ["test", "rules", "rules_test.yml"]):
        done = subprocess.run([promtool(), *words], cwd=RULES.parent, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr


def test_prometheus_takes_every_expression_of_the_dashboards(tmp_path: Path) -> None:
    texts = [text for where, text in asked() if "json" in where and "label_values" not in text]
    assert len(texts) > 20
    rules = [{"record": f"x:{number}", "expr": text.replace("$", "")} for number, text in enumerate(texts)]
    path = tmp_path / "rules.yml"
    path.write_text(yaml.safe_dump({"groups": [{"name": "g", "rules": rules}]}))
    done = subprocess.run([promtool(), "check", "rules", str(path)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("path", BOARDS, ids=lambda path: path.stem)
def test_panels_of_a_dashboard_do_not_lie_on_each_other(path: Path) -> None:
    board = json.loads(path.read_text())
    cells = [
        (x, y)
        for panel in board["panels"]
        for place in [panel["gridPos"]]
        for x in range(place["x"], place["x"] + place["w"])
        for y in range(place["y"], place["y"] + place["h"])
    ]
    assert len(cells) == len(set(cells))
    assert len({panel["id"] for panel in board["panels"]}) == len(board["panels"])
