"""`stead test`: a test that holds passes, and each sort of expectation fails when it is not met."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
import yaml

from stead.cli import main
from stead.testing import run_file

SPEC = """
stead: 1
images: {debian: {source: /d.qcow2}}
projects:
  acme:
    networks: {app: {subnets: {v4: {cidr: 10.20.0.0/24}}}}
    instances:
      web: {count: 2, flavor: {vcpus: 4, memory: 4GiB, disk: 10GiB}, image: debian, networks: [app], spread: hosts}
outputs: {first: "{{ projects.acme.instances.web[0].address }}"}
"""
INVENTORY = """
all:
  children:
    controller: {hosts: {controller-1: {}}}
    network: {hosts: {network-1: {}}}
    compute:
      hosts: {"compute-[1:3]": {}}
      vars: {stead_vcpus: 4, stead_memory: 16GiB, stead_pools: {default: {type: dir, size: 1TiB}}}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "stead.yml").write_text(SPEC)
    (tmp_path / "inventory.yml").write_text(INVENTORY)
    return tmp_path


def wrong(folder: Path, **test: object) -> tuple[str, ...]:
    path = folder / "one.test.yml"
    path.write_text(yaml.safe_dump({"tests": {"it": test}}))
    (result,) = run_file(path)
    return result.wrong


def test_expectations_that_hold_pass(folder: Path) -> None:
    expect = {"apart": ["acme/instances/web"], "disturbs": "none", "outputs": {"first": "10.20.0.2"}}
    assert wrong(folder, expect=expect) == ()
    assert wrong(folder, fresh=False, expect={"empty": True}) == ()


@pytest.mark.parametrize(
    ("expect", "piece"),
    [
        ({"changes": {"create": 1}}, "expected 1"),
        ({"changes": {"destory": 0}}, "no action 'destory'"),
        ({"empty": True}, "not empty"),
        ({"together": ["acme/instances/web"]}, "compute-1, compute-2"),
        ({"placed": {"acme/instances/web[0]": "compute-3"}}, "expected compute-3"),
        ({"refused": ["STEAD-P001"]}, "should be told"),
        ({"outputs": {"first": "10.20.0.9"}}, "10.20.0.2"),
        ({"lost": ["acme/instances/web"]}, "which works"),
        ({"running": ["acme/instances/wbe"]}, "names nothing"),
        ({"survives": 2}, "without a host"),
    ],
)
def test_expectation_that_is_not_met_fails(folder: Path, expect: dict[str, object], piece: str) -> None:
    assert any(piece in one for one in wrong(folder, expect=expect))


def test_members_that_are_named_one_by_one_are_neighbours_too(folder: Path) -> None:
    names = ["acme/instances/web[0]", "acme/instances/web[1]"]
    assert wrong(folder, expect={"apart": names}) == ()
    assert "is on compute-1, compute-2" in wrong(folder, expect={"together": names})[0]
    spec = folder / "stead.yml"
    spec.write_text(spec.read_text().replace("vcpus: 4", "vcpus: 1").replace("spread: hosts", "together: hosts"))
    assert wrong(folder, expect={"together": names}) == ()
    assert "2 of acme/instances/web[0], acme/instances/web[1] share host" in wrong(folder, expect={"apart": names})[0]


def test_what_fits_nowhere_can_be_expected_to_be_refused(folder: Path) -> None:
    gone = ["compute-2", "compute-3"]
    assert wrong(folder, gone=gone, expect={"refused": ["STEAD-P001"]}) == ()
    assert any("STEAD-P001" in one for one in wrong(folder, gone=gone))


def test_instances_of_a_silent_host_are_lost_and_the_others_run(folder: Path) -> None:
    expect = {"lost": ["acme/instances/web[0]"], "running": ["acme/instances/web[1]"]}
    assert wrong(folder, fresh=False, down=["compute-1"], expect=expect) == ()


def test_reports_agree(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    wrong(folder, expect={"empty": True})
    assert main(["test", str(folder)]) == 1
    assert capsys.readouterr().out.endswith("0 passed, 1 failed\n")
    assert main(["test", str(folder), "--json"]) == 1
    assert json.loads(capsys.readouterr().out)["failed"] == 1
    assert main(["test", str(folder), "--format", "junit"]) == 1
    assert ET.fromstring(capsys.readouterr().out).get("failures") == "1"  # noqa: S314 - our own


def test_mistake_in_a_test_file_is_a_diagnostic(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "one.test.yml").write_text("tests: {it: {expct: {}}}\n")
    assert main(["test", str(folder)]) == 1
    assert "STEAD-L001" in capsys.readouterr().err


def test_a_file_without_tests_is_a_diagnostic(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "some.test.yml").write_text("# later\n")
    assert main(["test", str(folder / "some.test.yml")]) == 1
    assert "STEAD-T002" in capsys.readouterr().err


def test_a_host_may_be_gone_after_an_apply(folder: Path) -> None:
    (folder / "one.test.yml").write_text(
        "tests: {it: {fresh: false, gone: [compute-1], down: [compute-1], expect: {apart: [acme/instances/web]}}}\n"
    )
    (result,) = run_file(folder / "one.test.yml")
    assert result.wrong == ()


def test_variables_that_are_a_text_are_a_diagnostic(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "one.test.yml").write_text("vars: abc\ntests: {it: {}}\n")
    assert main(["test", str(folder)]) == 1
    assert "STEAD-L003" in capsys.readouterr().err


def test_reports_for_ci_can_be_read_whatever_is_in_them(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder)
    (folder / "odd.test.yml").write_text('tests: {"a<&b": {expect: {outputs: {x: "y\\ez"}}}}\n')
    assert main(["test", "--format", "junit"]) == 1
    assert ET.fromstring(capsys.readouterr().out).find("testcase/failure") is not None  # noqa: S314 - our own
    odd = folder / "a b"
    odd.mkdir()
    (odd / "x#y.yml").write_text('stead: 1\nimages: {"a\\eb": 1}\n')
    assert main(["validate", "a b", "--format", "junit"]) == 1
    assert ET.fromstring(capsys.readouterr().out).find("testcase/failure") is not None  # noqa: S314 - our own
    assert main(["validate", "a b", "--format", "sarif"]) == 1
    (run,) = json.loads(capsys.readouterr().out)["runs"]
    place = run["results"][0]["locations"][0]["physicalLocation"]
    assert place["artifactLocation"]["uri"] == "a%20b/x%23y.yml"
