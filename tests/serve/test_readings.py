"""The spec is read once for documents that stay as they are, and anew as soon as a file of the site's changes."""

from __future__ import annotations

import gc
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import pytest
from tests.serve.served import Site

from stead.core.diagnostics import Code, Diagnostic
from stead.serve.readings import FRESH, SpecReadings

if TYPE_CHECKING:
    from stead.language.desired import Desired

OLD = 1_000_000_000
ACME: dict[str, Any] = {"acme": {"networks": {"app": {}}}}
BLUE: dict[str, Any] = {"acme": {"networks": {"blue": {}}}}


class Spec:
    """Stands for reading: counts, and names the files that it read."""

    def __init__(self, folder: Path) -> None:
        self.read, self.found = 0, list[Diagnostic]()
        self.files = {str(folder / "stead.yml"): "", str(folder / "tenants/acme.yml"): "acme"}

    def __call__(self, _contents: Mapping[str, Any]) -> tuple[Desired, list[Diagnostic]]:
        self.read += 1
        return cast("Desired", SimpleNamespace(files=self.files, read=self.read)), self.found


@pytest.fixture
def spec(tmp_path: Path) -> Spec:
    return Spec(tmp_path)


@pytest.fixture
def readings(tmp_path: Path, spec: Spec) -> SpecReadings:
    (tmp_path / "tenants").mkdir()
    for name in ("stead.yml", "tenants/acme.yml", "tenants", "."):
        if name.endswith(".yml"):
            (tmp_path / name).write_text("stead: 1\n", encoding="utf-8")
        os.utime(tmp_path / name, (OLD, OLD))
    return SpecReadings(spec, tmp_path, clock=lambda: 0.0)


def test_the_same_documents_are_read_once(readings: SpecReadings, spec: Spec) -> None:
    assert readings(ACME)[0] is readings({"acme": {"networks": {"app": {}}}})[0]
    assert spec.read == 1
    readings(BLUE)
    readings(ACME)
    assert spec.read == 2


def changed(folder: Path) -> None:
    (folder / "stead.yml").write_text("stead: 1\nflavors: {}\n", encoding="utf-8")


def added(folder: Path) -> None:
    (folder / "tenants/more.yml").write_text("networks: {}\n", encoding="utf-8")


def removed(folder: Path) -> None:
    (folder / "tenants/acme.yml").unlink()


def replaced(folder: Path) -> None:
    """By a copy of the same size that keeps its time, as `cp -p`, images and reproducible archives make it."""
    path = folder / "stead.yml"
    path.write_text("stead: 2\n", encoding="utf-8")
    os.utime(path, (OLD, OLD))


@pytest.mark.parametrize("change", [changed, added, removed])
def test_a_changed_file_is_seen_at_once(
    readings: SpecReadings, spec: Spec, tmp_path: Path, change: Callable[[Path], None]
) -> None:
    readings(ACME)
    change(tmp_path)
    readings(ACME)
    readings(ACME)  # it has just changed: it might again, in the same moment
    assert spec.read == 3


def test_a_copy_of_the_same_time_and_size_is_seen(readings: SpecReadings, spec: Spec, tmp_path: Path) -> None:
    readings(ACME)
    replaced(tmp_path)
    readings(ACME)
    assert spec.read == 2


def test_what_has_errors_is_not_kept(readings: SpecReadings, spec: Spec) -> None:
    spec.found = [Code("STEAD-L999", "wrong").at(None, "It is wrong.")]
    readings(ACME)
    readings(ACME)
    assert spec.read == 2


def test_what_no_file_shows_is_looked_at_again_soon(tmp_path: Path, spec: Spec) -> None:
    os.utime(tmp_path, (OLD, OLD))
    now = [0.0]
    readings = SpecReadings(spec, tmp_path, clock=lambda: now[0])
    for now[0] in (0.0, FRESH - 1, FRESH, FRESH + 1):
        readings(ACME)
    assert spec.read == 2


def test_nothing_is_collected_while_it_plans(own_site: Site) -> None:
    assert own_site.worker.wait_idle(60)
    cloud = own_site.cloud
    with cloud.planning():
        with cloud.planning():
            assert not gc.isenabled()
        assert not gc.isenabled()
    assert gc.isenabled()
