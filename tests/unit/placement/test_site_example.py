"""The example in `plugins/` works as its README says, through the same entry points a site would use."""

from __future__ import annotations

import shutil
import sys
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import yaml
from tests.installing import announce

from stead.blueprint.placement import PlacementHost, Problem, Request, explain, load_plugins, numbered, place
from stead.blueprint.placement.plugins import PlacementPlugins
from stead.cli import main
from stead.core.diagnostics import Refused

EXAMPLE = Path(__file__).parents[3] / "plugins" / "placement-example"
Install = Callable[[str, dict[str, dict[str, str]]], None]


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Install]:
    """Puts a distribution on the path the way pip leaves it: modules, and a `dist-info` that announces them."""
    folder = tmp_path / "site-packages"
    before = set(sys.modules)

    def made(name: str, groups: dict[str, dict[str, str]]) -> None:
        announce(folder, name, groups)
        monkeypatch.setattr(sys, "path", [str(folder), *(one for one in sys.path if one != str(folder)), f"/{name}"])

    yield made
    for name in set(sys.modules) - before:
        if name.startswith("stead_placement_example"):
            del sys.modules[name]


@pytest.fixture
def example(install: Install, tmp_path: Path) -> None:
    install(
        "stead_placement_example", tomllib.loads((EXAMPLE / "pyproject.toml").read_text())["project"]["entry-points"]
    )
    shutil.copy(EXAMPLE / "stead_placement_example.py", tmp_path / "site-packages")


@pytest.fixture
def plugins(example: None) -> PlacementPlugins:
    del example
    return load_plugins()


def host(name: str, **labels: str) -> PlacementHost:
    return PlacementHost(name=name, capacity={"vcpus": 64}, labels=labels)


def problem(plugins: PlacementPlugins, hosts: list[PlacementHost], vcpus: int, count: int = 1) -> Problem:
    request = Request(id="big", members=numbered("big", count), demand={"vcpus": vcpus})
    return Problem(hosts=hosts, requests=[request], filters=plugins.filters, scorers=plugins.scorers)


def test_the_filter_keeps_large_instances_out_and_is_named_in_the_funnel(plugins: PlacementPlugins) -> None:
    asked = problem(plugins, [host("a", power="low"), host("b")], vcpus=16)
    placement = place(asked)
    assert placement.assignment == {"big[0]": "b"}
    told = explain(asked, placement, "big[0]")
    assert [one.broken for one in told.rejected] == [("filter=power",)]


def test_the_filter_lets_small_instances_in(plugins: PlacementPlugins) -> None:
    assert place(problem(plugins, [host("a", power="low")], vcpus=2)).assignment == {"big[0]": "a"}


def test_the_scorer_prefers_newer_hosts_until_they_are_much_fuller(plugins: PlacementPlugins) -> None:
    hosts = [host("a", bought="2015"), host("b", bought="2024")]
    assert place(problem(plugins, hosts, vcpus=2)).assignment == {"big[0]": "b"}
    spread = place(problem(plugins, hosts, vcpus=8, count=6)).assignment
    assert set(spread.values()) == {"a", "b"}


def test_a_plugin_that_does_not_load_is_named(install: Install) -> None:
    install("lost", {"stead.placement.filters": {"lost": "no_such_module:f"}})
    with pytest.raises(Refused, match=r"STEAD-P002.*lost"):
        load_plugins()


def test_two_plugins_of_one_name_are_refused(install: Install) -> None:
    install("one", {"stead.placement.filters": {"x": "math:pi"}})
    install("two", {"stead.placement.filters": {"x": "math:e"}})
    with pytest.raises(Refused, match="two packages"):
        load_plugins()


@pytest.mark.parametrize(
    ("rule", "told"),
    [("operator:truediv", "TypeError"), ("operator:eq", "must return a reason"), ("math:pi", "not callable")],
)
def test_a_rule_that_fails_is_the_sites_mistake_and_no_traceback(install: Install, rule: str, told: str) -> None:
    install("bad", {"stead.placement.filters": {"odd": rule}})
    with pytest.raises(Refused, match=f"STEAD-P002.*odd.*{told}"):
        place(problem(load_plugins(), [host("a")], vcpus=1))


SPEC = {
    "stead": 1,
    "images": {"debian": {"source": "/d.qcow2"}},
    "projects": {
        "acme": {
            "networks": {"app": {"subnets": {"v4": {"cidr": "10.20.0.0/24"}}}},
            "instances": {
                "big": {
                    "flavor": {"vcpus": 16, "memory": "4GiB", "disk": "10GiB"},
                    "image": "debian",
                    "networks": ["app"],
                }
            },
        }
    },
}
INVENTORY = {
    "all": {
        "children": {
            "controller": {"hosts": {"controller-1": {}}},
            "network": {"hosts": {"network-1": {}}},
            "compute": {
                "hosts": {
                    "compute-1": {"stead_labels": {"power": "low"}},
                    "compute-2": {"stead_labels": {"bought": 2024}},
                },
                "vars": {
                    "stead_vcpus": 32,
                    "stead_memory": "64GiB",
                    "stead_pools": "1TiB",
                    "stead_runner": "simulated",
                },
            },
        },
        "vars": {"stead_runner": "simulated"},
    }
}


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "spec"
    folder.mkdir()
    (folder / "stead.yml").write_text(yaml.safe_dump(SPEC))
    (folder / "inventory.yml").write_text(yaml.safe_dump(INVENTORY))
    monkeypatch.chdir(folder)
    return folder


def where(capsys: pytest.CaptureFixture[str]) -> str:
    assert main(["explain", "acme/instances/big"]) == 0
    return capsys.readouterr().out


@pytest.mark.usefixtures("workspace")
def test_an_installed_filter_changes_the_plan(
    request: pytest.FixtureRequest, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["plan"]) == 0
    before = capsys.readouterr().out
    request.getfixturevalue("example")
    assert main(["plan"]) == 0
    after = capsys.readouterr().out
    big = [next(line for line in told.splitlines() if "instances/big" in line) for told in (before, after)]
    assert "compute-1" in big[0]
    assert "compute-2" in big[1]
    assert "filter=power" in where(capsys)


@pytest.mark.usefixtures("workspace")
def test_a_broken_rule_is_told_by_plan(install: Install, capsys: pytest.CaptureFixture[str]) -> None:
    install("bad", {"stead.placement.scorers": {"odd": "operator:truediv"}})
    assert main(["plan"]) == 1
    told = capsys.readouterr().err
    assert "STEAD-P002" in told
    assert "'odd' failed for" in told
