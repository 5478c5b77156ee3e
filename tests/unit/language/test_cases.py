"""Every `tests/cases/**/spec*.yml`: a spec, and the diagnostics that it must get, no more and no fewer.

A file is `cases: [{case: its law, spec: the text, found: [...]}]`, where each of `found` is `CODE line:column` and a
piece of the detail, in the order of the file. `found: []` is a good spec. `files` adds others beside `stead.yml`,
`vars` gives variables; `hosts` has pools of hosts, which can what this version can. A `base` at the top of the
file, where there is one, is put before every spec.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml

from stead.core.diagnostics import Diagnostic
from stead.core.observed import Host
from stead.drivers import storage
from stead.kinds import kinds
from stead.language.desired import resolve
from stead.language.spec import load
from stead.site.abilities import with_abilities

FOLDER = Path(__file__).parent.parent.parent / "cases"
CASES = [
    pytest.param(case, document.get("base", ""), id=f"{path.parent.name}: {case['case']}")
    for path in sorted(FOLDER.glob("**/spec*.yml"))
    for document in [yaml.safe_load(path.read_text())]
    for case in document["cases"]
]


def host(name: str, pools: Mapping[str, str] = {}, roles: Sequence[str] = (), **others: Mapping[str, str]) -> Host:
    known = {pool: storage.pool(pool, type_, 1 << 40) for pool, type_ in pools.items()}
    more: Any = others
    return with_abilities(Host(name=name, roles=frozenset(roles), pools=known, **more))


def told(one: Diagnostic) -> str:
    place = f"{one.place.line}:{one.place.column}" if one.place else "-"
    return f"{one.code} {place} {one.detail}"


@pytest.mark.parametrize(("case", "base"), CASES)
def test_bad_input_gets_its_diagnostics_and_good_input_none(
    case: dict[str, Any], base: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "stead.yml").write_bytes((base + case["spec"]).encode("utf-8", "surrogateescape"))
    for name, text in case.get("files", {}).items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    spec, found = load([Path("stead.yml")], kinds(), variables=case.get("vars"), root=Path())
    if not found:
        desired, found = resolve(spec, key=b"key")
        hosts = {name: host(name, **one) for name, one in case.get("hosts", {}).items()}
        found += [one for block in desired.blocks for one in kinds()[block.kind].fits(block, desired, hosts)]
    lines = [told(one) for one in found]
    expected = case["found"]
    assert len(lines) == len(expected), lines
    for line, wanted in zip(lines, expected, strict=True):
        code, place, *piece = wanted.split(" ", 2)
        assert line.startswith(f"{code} {place} "), (line, wanted)
        assert not piece or piece[0] in line, (line, wanted)
