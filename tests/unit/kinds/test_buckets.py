"""What a store's driver cannot do is refused at plan, by what it says of itself."""

from __future__ import annotations

from pathlib import Path
from types import MappingProxyType

import pytest
import yaml

from stead.core.value import replace
from stead.drivers import object as objects
from stead.kinds import kinds
from stead.language.desired import resolve
from stead.language.spec import load

CASES = yaml.safe_load((Path(__file__).parents[2] / "cases/bucket/drivers.yml").read_text(encoding="utf-8"))["cases"]
SPEC = """
stead: 1
object_stores: {main: {driver: swift, secret: 0123456789abcdef0123456789abcdef}}
projects: {acme: {buckets: {www: {store: main, ASKED}}}}
"""


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["asked"])
def test_what_the_driver_cannot_do_is_refused(
    case: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    able = objects.all_of_them()["swift"]
    monkeypatch.setattr(
        objects, "all_of_them", lambda: MappingProxyType({"swift": replace(able, capabilities=MappingProxyType({}))})
    )
    path = tmp_path / "stead.yml"
    path.write_text(SPEC.replace("ASKED", case["asked"]))
    spec, read = load([path], kinds(), root=tmp_path)
    _desired, told = resolve(spec, key=b"key")
    assert [one.code for one in (*read, *told)] == [case["found"]]
