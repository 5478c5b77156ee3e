"""The example in `plugins/` works as its README says, through the same entry points a site would use."""

from __future__ import annotations

import importlib.metadata
import sys
import tomllib
from collections.abc import Iterator
from importlib.metadata import EntryPoint, EntryPoints
from pathlib import Path

import pytest

from stead.blueprint.placement import Host, Problem, Request, explain, load_sites, numbered, place
from stead.blueprint.placement.sites import SitePluginError, Sites

EXAMPLE = Path(__file__).parents[3] / "plugins" / "placement-example"


def offered(project: dict[str, dict[str, dict[str, str]]]) -> EntryPoints:
    return EntryPoints(
        EntryPoint(name=name, value=value, group=group)
        for group, points in project["entry-points"].items()
        for name, value in points.items()
    )


@pytest.fixture
def sites(monkeypatch: pytest.MonkeyPatch) -> Iterator[Sites]:
    monkeypatch.syspath_prepend(str(EXAMPLE))
    points = offered(tomllib.loads((EXAMPLE / "pyproject.toml").read_text())["project"])
    monkeypatch.setattr(importlib.metadata, "entry_points", lambda group: points.select(group=group))
    yield load_sites()
    sys.modules.pop("stead_placement_example", None)


def host(name: str, **labels: str) -> Host:
    return Host(name=name, capacity={"vcpus": 64}, labels=labels)


def problem(sites: Sites, hosts: list[Host], vcpus: int, count: int = 1) -> Problem:
    request = Request(id="big", members=numbered("big", count), demand={"vcpus": vcpus})
    return Problem(hosts=hosts, requests=[request], filters=sites.filters, scorers=sites.scorers)


def test_the_filter_keeps_large_instances_out_and_is_named_in_the_funnel(sites: Sites) -> None:
    asked = problem(sites, [host("a", power="low"), host("b")], vcpus=16)
    placement = place(asked)
    assert placement.assignment == {"big[0]": "b"}
    told = explain(asked, placement, "big[0]")
    assert [one.broken for one in told.rejected] == [("filter=power",)]


def test_the_filter_lets_small_instances_in(sites: Sites) -> None:
    assert place(problem(sites, [host("a", power="low")], vcpus=2)).assignment == {"big[0]": "a"}


def test_the_scorer_prefers_newer_hosts_until_they_are_much_fuller(sites: Sites) -> None:
    hosts = [host("a", bought="2015"), host("b", bought="2024")]
    assert place(problem(sites, hosts, vcpus=2)).assignment == {"big[0]": "b"}
    spread = place(problem(sites, hosts, vcpus=8, count=6)).assignment
    assert set(spread.values()) == {"a", "b"}


def test_a_plugin_that_does_not_load_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    broken = EntryPoints([EntryPoint(name="lost", value="no_such_module:f", group="stead.placement.filters")])
    monkeypatch.setattr(importlib.metadata, "entry_points", lambda group: broken.select(group=group))
    with pytest.raises(SitePluginError, match="lost"):
        load_sites()


def test_two_plugins_of_one_name_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    twice = EntryPoints(EntryPoint(name="x", value=f"math:{f}", group="stead.placement.filters") for f in ("pi", "e"))
    monkeypatch.setattr(importlib.metadata, "entry_points", lambda group: twice.select(group=group))
    with pytest.raises(SitePluginError, match="two packages"):
        load_sites()
