"""A volume passes from a project to another by files when the people of both say so, and keeps what is on it."""

from __future__ import annotations

from pathlib import Path

import pytest

from stead.cli import main
from stead.core.address import Address
from stead.core.recorded import Record
from stead.store import open_store

SITE = """
stead: 1
include: [{project: acme, from: tenants/acme.yml}, {project: birch, from: tenants/birch.yml}]
projects: {acme: {}, birch: {quota: {storage: 20GiB}}}
"""
INVENTORY = "all: {vars: {stead_runner: simulated}, children: {compute: {hosts: {compute-1: {}, compute-2: {}}}}}"
NONE = "stead: 1\n"
GIVEN = NONE + "moved: [{from: volumes/data, to: birch/volumes/got}]\n"
TAKEN = NONE + "volumes: {got: {size: 10GiB}}\nmoved: [{from: acme/volumes/data, to: volumes/got}]\n"


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "tenants").mkdir()
    Path("stead.yml").write_text(SITE)
    Path("inventory.yml").write_text(INVENTORY)
    write(NONE + "volumes: {data: {size: 10GiB}}\n", NONE)
    assert main(["apply", "--auto-approve", "-q"]) == 0
    return tmp_path


def write(acme: str, birch: str) -> None:
    Path("tenants/acme.yml").write_text(acme)
    Path("tenants/birch.yml").write_text(birch)


def volumes() -> dict[Address, Record]:
    store = open_store(".stead/state.db", directory=Path(".stead"))
    found = {address: one for address, one in store.recorded().resources.items() if address.kind == "volumes"}
    store.close()
    return found


@pytest.mark.usefixtures("site")
def test_both_say_so(capsys: pytest.CaptureFixture[str]) -> None:
    ((old, before),) = volumes().items()
    write(GIVEN, TAKEN)
    assert main(["apply", "--auto-approve", "--max-disruption", "none", "-q"]) == 0
    ((new, after),) = volumes().items()
    assert (str(old), str(new)) == ("acme/volumes/data", "birch/volumes/got")
    assert (before.leases, before.host) == (after.leases, after.host)
    capsys.readouterr()
    assert main(["plan", "--detailed-exitcode"]) == 0, capsys.readouterr().out


@pytest.mark.parametrize(("acme", "birch", "whose"), [(GIVEN, TAKEN.split("moved")[0], "birch"), (NONE, TAKEN, "acme")])
@pytest.mark.usefixtures("site")
def test_one_alone_neither_takes_nor_gives(
    acme: str, birch: str, whose: str, capsys: pytest.CaptureFixture[str]
) -> None:
    write(acme, birch)
    assert main(["plan"]) == 1
    told = capsys.readouterr().err
    assert "STEAD-G016" in told
    assert f"a file of {whose}'s people" in " ".join(told.split())


@pytest.mark.usefixtures("site")
def test_nobody_learns_what_another_project_has(capsys: pytest.CaptureFixture[str]) -> None:
    told = []
    for name in ("data", "nothing"):
        write(NONE + "volumes: {data: {size: 10GiB}}\n", TAKEN.replace("acme/volumes/data", f"acme/volumes/{name}"))
        assert main(["plan"]) == 1
        told.append(capsys.readouterr().err.replace(name, "NAME"))
    assert told[0] == told[1]


@pytest.mark.usefixtures("site")
def test_a_quota_holds_for_what_is_given(capsys: pytest.CaptureFixture[str]) -> None:
    write(GIVEN, TAKEN.replace("{got: {size: 10GiB}}", "{got: {size: 10GiB}, more: {size: 15GiB}}"))
    assert main(["plan"]) == 1
    assert "STEAD-Q001" in capsys.readouterr().err


@pytest.mark.usefixtures("site")
def test_only_what_stands_alone_passes(capsys: pytest.CaptureFixture[str]) -> None:
    write(NONE + "moved: [{from: networks/app, to: birch/networks/app}]", NONE)
    assert main(["plan"]) == 1
    assert "STEAD-G003" in capsys.readouterr().err


@pytest.mark.usefixtures("site")
def test_a_projects_people_check_their_half_alone() -> None:
    write(NONE, TAKEN)
    assert main(["validate", "--as", "birch", "tenants/birch.yml"]) == 0


@pytest.mark.usefixtures("site")
def test_the_site_decides_for_both() -> None:
    write(NONE, TAKEN.split("moved")[0])
    Path("stead.yml").write_text(SITE + "moved: [{from: acme/volumes/data, to: birch/volumes/got}]\n")
    assert main(["apply", "--auto-approve", "--max-disruption", "none", "-q"]) == 0
    assert [str(one) for one in volumes()] == ["birch/volumes/got"]
