"""`stead usage` over a site's life on simulated hosts: by a clock of our own, to the second."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from stead.cli import main
from stead.cli.commands import usage as command
from stead.store import open_store
from stead.store.sqlite import Sqlite

DAY = 86_400
START = datetime(2026, 3, 1, tzinfo=UTC).timestamp()
SPEC = """
stead: 1
images: {tiny: {source: /srv/tiny.qcow2, format: qcow2}}
flavors:
  small: {vcpus: 1, memory: 1GiB, disk: 10GiB}
  large: {vcpus: 4, memory: 8GiB, disk: 10GiB}
  double: {vcpus: 4, memory: 8GiB, disk: 10GiB}
projects:
  acme:
    networks: {app: {subnets: {v4: {cidr: 10.0.0.0/24}}}}
    volumes: {data: {size: 20GiB}}
    instances:
      web: {flavor: small, image: tiny, networks: [app], state: running}
  beta:
    flavors: {small: {vcpus: 8, memory: 8GiB, disk: 1GiB}}
    networks: {app: {subnets: {v4: {cidr: 10.0.0.0/24}}}}
    instances:
      db: {flavor: small, image: tiny, networks: [app]}
"""
INVENTORY = """
all: {vars: {stead_runner: simulated}}
compute: {hosts: {compute-1: , compute-2: }}
network: {hosts: {network-1: }}
"""
Answer = Callable[..., dict[tuple[str, str, str], float]]


class Site:
    """A site with a clock that is set by hand."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self.now, self._capsys = START, capsys
        Path("stead.yml").write_text(SPEC)
        Path("inventory.yml").write_text(INVENTORY)

    def at(self, days: float) -> None:
        self.now = START + days * DAY

    def edit(self, old: str, new: str) -> None:
        text = Path("stead.yml").read_text()
        assert text.count(old) == 1, old
        Path("stead.yml").write_text(text.replace(old, new))

    def apply(self, *words: str, status: int = 0) -> None:
        assert main(["apply", "--auto-approve", "--quiet", *words]) == status

    def said(self, *words: str, status: int = 0) -> tuple[str, str]:
        self._capsys.readouterr()
        assert main(["usage", *words]) == status
        found = self._capsys.readouterr()
        return found.out, found.err

    def hours(self, *words: str) -> dict[str, float]:
        """Of acme, by meter and detail."""
        data: dict[str, Any] = json.loads(self.said("--project", "acme", "--json", *words)[0])
        return {f"{one['meter']}:{one['detail']}".rstrip(":"): one["hours"] for one in data["usage"]}


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Site:
    monkeypatch.chdir(tmp_path)
    for name in ("STEAD_STORE", "STEAD_STORE_KEY"):
        monkeypatch.delenv(name, raising=False)
    found = Site(capsys)
    monkeypatch.setattr(Sqlite, "now", lambda _self: found.now)
    monkeypatch.setattr(command, "time", SimpleNamespace(time=lambda: found.now))
    return found


def test_a_life_is_counted_from_its_first_moment_to_its_last(site: Site) -> None:
    site.apply()
    site.at(1)
    assert main(["stop", "acme/instances/web", "--auto-approve", "--quiet"]) == 0
    site.at(2)
    site.edit("web: {flavor: small", "web: {flavor: large")
    site.apply("--max-disruption", "reboot")
    site.at(3)
    assert main(["start", "acme/instances/web", "--auto-approve", "--quiet"]) == 0
    site.edit("size: 20GiB", "size: 40GiB")
    site.apply()
    site.at(4)
    site.edit("web: {flavor: large", "web: {flavor: double")  # the same sizes under another name: no step at all
    site.apply()
    site.at(5)
    assert main(["destroy", "--auto-approve", "--quiet", "--max-disruption", "data-loss"]) == 0
    site.at(10)  # nothing ran in between, and nothing was lost
    assert site.hours() == {
        "instances:small": 48, "instances:large": 48, "instances:double": 24,
        "running:small": 24, "running:large": 24, "running:double": 24,
        "vcpus": 48 + 4 * 72, "running_vcpus": 24 + 4 * 48,
        "memory": 48 + 8 * 72, "running_memory": 24 + 8 * 48,
        "disks:default": 10 * 120, "volumes:default": 20 * 72 + 40 * 48,
    }  # fmt: skip
    assert site.hours("--from", "2026-03-02", "--to", "2026-03-03")["vcpus"] == 24
    assert site.hours("--month", "2026-02") == {}
    assert site.hours("--month", "2026-04") == {}
    assert site.hours("--month", "2026-03") == site.hours()


def test_a_project_with_a_flavor_of_its_own_does_not_get_the_sites_price(site: Site) -> None:
    Path("prices.yml").write_text("currency: EUR\nprices: {instances: {small: 0.10}, floating_ips: 1, vcpus: 0.001}\n")
    site.apply()
    site.at(1)
    rows = list(csv.DictReader(io.StringIO(site.said("--csv", "--prices", "prices.yml")[0])))
    costs = {(one["project"], one["meter"], one["detail"]): one["cost"] for one in rows}
    assert costs["acme", "instances", "small"] == "2.40"
    assert costs["acme", "vcpus", ""] == "0.02"
    assert costs["beta", "instances", "beta/small"] == ""
    told = site.said("--prices", "prices.yml")[0]
    assert "no price" in told
    assert "2.42 EUR" in told
    assert "cost" not in site.said()[0]


def test_a_step_that_failed_counts_for_nothing_until_it_is_done(site: Site) -> None:
    assert main(["simulate", "fail", "--address", "acme/instances/web"]) == 0
    site.apply(status=1)
    site.at(1)
    assert "vcpus" not in site.hours()
    site.apply()
    site.at(2)
    assert site.hours()["vcpus"] == 24


def test_a_host_that_dies_in_the_middle_of_a_run_ends_no_usage_by_itself(site: Site) -> None:
    site.apply()
    site.at(1)
    host = "compute-1" if "compute-1" in _show(site, "acme/instances/web") else "compute-2"
    assert main(["simulate", "off", host]) == 0
    site.apply("--confirm-dead", host, "--max-disruption", "data-loss")
    site.at(2)
    assert main(["simulate", "up", host]) == 0
    site.apply("--max-disruption", "data-loss")  # clears what was left on the old host
    site.at(3)
    assert site.hours()["instances:small"] == 72


def _show(site: Site, address: str) -> str:
    site._capsys.readouterr()
    assert main(["show", address]) == 0
    return site._capsys.readouterr().out


def test_a_run_that_was_killed_leaves_what_it_had_recorded(site: Site) -> None:
    """The database is what it is after the last transaction: steps that were recorded count, others do not yet."""
    site.apply()
    store = open_store("", directory=Path(".stead"))
    before = store.metered()
    store._db.run("UPDATE runs SET outcome = 'running'")  # type: ignore[attr-defined]
    store._db.run("UPDATE steps SET state = 'began', ended = NULL WHERE address = 'acme/volumes/data'")  # type: ignore[attr-defined]
    store.close()
    site.at(1)
    assert site.hours()["volumes:default"] == 480
    site.apply("--reason", "again")
    site.at(2)
    assert site.hours()["volumes:default"] == 960
    store = open_store("", directory=Path(".stead"))
    assert store.metered()[: len(before)] == before


def test_a_clock_that_was_set_back_is_told_and_counts_nothing_twice(site: Site) -> None:
    site.at(5)
    site.apply()
    site.at(2)  # it was wrong before
    site.edit("web: {flavor: small", "web: {flavor: large")
    site.apply("--max-disruption", "reboot")
    site.at(6)
    told = site.said()[1]
    assert "STEAD-U004" in told
    assert "acme/instances/web" in told
    hours = site.hours()
    assert hours["instances:large"] == 24
    assert "instances:small" not in hours


def test_a_store_of_an_older_version_says_from_when_on_it_knows(site: Site) -> None:
    site.apply()
    store = open_store("", directory=Path(".stead"))
    for statement in ("DELETE FROM metered", "DELETE FROM meta WHERE name = 'metered'"):
        store._db.run(statement)  # type: ignore[attr-defined]
    store.close()
    site.at(1)
    assert "next `stead apply`" in site.said()[1]
    site.apply()  # an empty plan
    site.at(2)
    out, told = site.said()
    assert "STEAD-U003" in told
    assert "2026-03-02T00:00:00Z" in told
    assert "project acme" in out
    assert site.hours()["vcpus"] == 24
    assert site.said("--from", "2026-03-02T00:00:00")[1] == ""


def test_a_store_that_was_rebuilt_from_hosts_goes_on_from_there(site: Site) -> None:
    site.apply()
    site.at(1)
    for one in Path(".stead").glob("state.db*"):
        one.unlink()
    assert main(["recover"]) in (0, 2)
    site.at(2)
    assert "STEAD-U003" in site.said()[1]
    assert site.hours()["volumes:default"] == 480
    site.edit("size: 20GiB", "size: 40GiB")
    site.apply()
    site.at(3)
    assert site.hours()["volumes:default"] == 480 + 960


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["--month", "2026-13"], "STEAD-U002"),
        (["--month", "0000-01"], "STEAD-U002"),
        (["--month", "march"], "STEAD-U002"),
        (["--month", "2026-03", "--to", "2026-03-04"], "STEAD-U002"),
        (["--from", "yesterday"], "STEAD-U002"),
        (["--from", "2026-03-04", "--to", "2026-03-03"], "STEAD-U002"),
        (["--from", "0001-01-01T00:00:00+14:00"], "STEAD-U002"),
        (["--prices", "nowhere.yml"], "STEAD-C014"),
        (["--project", "acne"], "STEAD-C021"),
    ],
)
def test_a_wrong_interval_is_refused(site: Site, words: list[str], code: str) -> None:
    site.apply()
    assert code in site.said(*words, status=1)[1]


@pytest.mark.parametrize("month", ["2999-12", "1970-01", "2026-12"])
def test_every_month_there_is_can_be_asked_for(site: Site, month: str) -> None:
    site.apply()
    assert "Nothing was used." in site.said("--month", month)[0]


@pytest.mark.parametrize(
    "text",
    [
        "", "- 1", "prices: 5", "prices: {vcpu: 1}", "prices: {vcpus: -1}", "prices: {vcpus: .nan}",
        "prices: {vcpus: .inf}", "prices: {vcpus: 1e9}", "prices: {vcpus: true}", "prices: {vcpus: [1]}",
        "prices: {vcpus: {a: {b: 1}}}", "prices: {vcpus: 1}\nprices: {vcpus: 2}", "price: {vcpus: 1}", "currency: [x]",
        "currency: '=cmd()'\nprices: {vcpus: 1}", "prices: {vcpus: !!python/object:os.system 1}", "a: &a [*a]", "\x00",
        "prices: {vcpus: 1234567890123}",
    ],
)  # fmt: skip
def test_wrong_prices_are_refused_with_their_place(site: Site, text: str) -> None:
    site.apply()
    Path("prices.yml").write_text(text)
    told = site.said("--prices", "prices.yml", status=1)[1]
    assert "error[STEAD-" in told
    assert "prices.yml:" in told


def test_all_mistakes_in_prices_are_told_together(site: Site) -> None:
    site.apply()
    Path("prices.yml").write_text("currency: 12\nprices:\n  vcpu: 1\n  memory: -1\n  volumes: {fast: a lot}\n")
    told = site.said("--prices", "prices.yml", status=1)[1]
    assert told.count("error[STEAD-U001]") == 4
    assert [f"prices.yml:{line}:" in told for line in range(1, 6)] == [True, False, True, True, True]
