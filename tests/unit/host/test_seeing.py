"""What is otherwise on a host than it should be is told in words of the want; every kind says what it sees."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.stead.cloud.plugins.module_utils.host.base.errors import Failed
from ansible_collections.stead.cloud.plugins.module_utils.host.base.readings import Unread, _sets, _units
from ansible_collections.stead.cloud.plugins.module_utils.host.base.work import Work
from ansible_collections.stead.cloud.plugins.module_utils.host.net import rules
from ansible_collections.stead.cloud.plugins.module_utils.host.net.linuxbridge import antispoof
from ansible_collections.stead.cloud.plugins.module_utils.host.observe.looking import Look, _told

WANT = {"interfaces": {"app": {"mac": "a"}, "db": {"mac": "b"}}, "external": {"mac": "c"}, "routes": []}
STEP: Any = {"want": WANT, "address": "acme/routers/edge"}


@pytest.mark.parametrize(
    ("parts", "told"),
    [
        ({}, {}),
        ({("rules", None): None}, {"rules": "altered"}),
        ({("routes", None): None}, {"routes": "altered"}),
        ({("routes", None): [{"to": "x"}]}, {"routes": [{"to": "x"}]}),
        ({("interfaces", "db"): None}, {"interfaces": {"app": {"mac": "a"}}}),
        ({("interfaces", "db"): {"mac": "z"}}, {"interfaces": {"app": {"mac": "a"}, "db": {"mac": "z"}}}),
        ({("external", "gateways"): [], ("external", None): {}}, {"external": {}}),
        ({("external", None): None}, {"external": None}),
    ],
)
def test_what_differs_is_told_in_words_of_the_want(parts: dict[Any, Any], told: dict[str, Any]) -> None:
    assert _told(WANT, parts) == told


def differing(make: Callable[[Any, Any], None]) -> tuple[dict[str, Any], list[str]]:
    look = Look("compute-1")
    return look.differing(make, STEP), look.trouble


def test_seeing_is_what_making_would_do_and_does_none_of_it(tmp_path: Path) -> None:
    def make(_step: Any, work: Any) -> None:
        with work.part("rules"):
            work.write(str(tmp_path / "rules"), "x")
        with work.part("external", there={}):
            pass

    assert differing(make) == ({"rules": "altered"}, [])
    assert list(tmp_path.iterdir()) == []


def test_what_could_not_even_be_made_differs_and_says_why() -> None:
    def make(_step: Any, work: Any) -> None:
        with work.part("external", there={}):
            raise Failed("there is no device")

    assert differing(make) == ({"external": {}}, ["acme/routers/edge: there is no device"])


def test_what_cannot_be_looked_at_is_not_called_broken() -> None:
    def make(_step: Any, work: Any) -> None:
        work.done.append("make something")
        with work.part("external"):
            raise Unread("ip is not there")

    assert differing(make) == ({}, [])


@pytest.fixture
def given(tmp_path: Path) -> tuple[str, list[dict[str, Any]]]:
    path, listing = str(tmp_path / "given"), [{"rule": {"chain": "a", "expr": ["x"], "handle": 7}}]
    rules.give(path, "text", "text", lambda: listing, _Given("here"))
    return path, listing


class _Given(Work):
    """Work whose programs do nothing."""

    def run(self, argv: Any, feed: Any = None, timeout: Any = 0) -> str:
        del argv, feed, timeout
        return ""


def test_rules_are_the_same_whatever_the_kernel_calls_them(given: tuple[str, list[dict[str, Any]]]) -> None:
    path, _listing = given
    other = [{"rule": {"chain": "a", "expr": ["x"], "handle": 9}}]
    assert rules.same(path, "text", other, Work("here"))


@pytest.mark.parametrize("listing", [None, [], [{"rule": {"chain": "a", "expr": ["y"]}}]])
def test_rules_that_were_changed_are_other_rules(given: tuple[str, list[dict[str, Any]]], listing: Any) -> None:
    path, _listing = given
    assert not rules.same(path, "text", listing, Work("here", check=True))


def test_rules_of_an_older_stead_are_no_drift_and_are_given_at_the_next_step(
    given: tuple[str, list[dict[str, Any]]],
) -> None:
    path, listing = given
    Path(path + rules.SEEN).unlink()
    assert rules.same(path, "text", listing, Work("here", check=True))
    assert not rules.same(path, "text", listing, Work("here"))


def test_a_guard_is_its_own_chain_and_how_it_is_reached() -> None:
    def listing(*names: str) -> list[dict[str, Any]]:
        ports = {"map": {"name": "ports", "elem": [[name, {"jump": {"target": name}}] for name in names]}}
        return [{"table": {"name": "stead"}}, ports, *({"rule": {"chain": name, "expr": ["drop"]}} for name in names)]

    assert antispoof._rules(listing("sta", "stb"), "sta") == antispoof._rules(listing("sta"), "sta")
    assert antispoof._rules(listing("stb"), "sta") is None


def test_programs_are_read_as_they_answer() -> None:
    text = "Id=a.service\nActiveState=active\nExecStart={ path=/x ; argv[]=/x -y ; ignore_errors=no }\n\nId=b.service\n"
    units = _units(text)
    assert units["a.service"] == (True, "/x -y")
    assert units["b.service"] == (False, "")
    assert _sets("create a hash:net\nadd a 10.0.0.2\nadd a 10.0.0.1\n") == {"a": ["10.0.0.1", "10.0.0.2"]}
