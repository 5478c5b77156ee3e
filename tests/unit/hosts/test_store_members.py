"""What the doctor says of controllers that keep the store together."""

from __future__ import annotations

from typing import Any

import pytest

from stead.health.store_members import diagnosed
from stead.runner.observe import Answer
from stead.site.inventory.serving import ApiSettings

NAMES = ("c1", "c2", "c3")
SERVING = {name: ApiSettings(address="192.0.2.10") for name in NAMES}
LEADS = {"role": "Leader", "state": "running", "lag": None}
FOLLOWS = {"role": "Sync Standby", "state": "running", "lag": 0}


def codes(members: dict[str, Any] | None, *, silent: tuple[str, ...] = (), why: str = "") -> list[tuple[str, str]]:
    told = {"members": members} if members is not None else {"why": why}
    answers = {
        name: Answer(host=name, why="no") if name in silent else Answer(host=name, facts={"examined": {"store": told}})
        for name in NAMES
    }
    return [(one.code, one.address) for one in diagnosed(SERVING, answers)]


@pytest.mark.parametrize(
    ("third", "found"),
    [
        (FOLLOWS, []),
        ({**FOLLOWS, "role": "Replica", "state": "streaming", "lag": 3}, []),
        ({**FOLLOWS, "lag": 40}, [("STEAD-H075", "c3")]),
        ({**FOLLOWS, "lag": None}, [("STEAD-H075", "c3")]),
        ({**FOLLOWS, "state": "start failed"}, [("STEAD-H075", "c3")]),
        (None, [("STEAD-H075", "c3")]),
    ],
)
def test_a_member_that_does_not_follow_is_told(third: Any, found: list[tuple[str, str]]) -> None:
    members = {"c1": LEADS, "c2": FOLLOWS, **({"c3": third} if third else {})}
    assert codes(members) == found


def test_without_a_leader_nothing_is_written() -> None:
    assert codes(dict.fromkeys(NAMES, FOLLOWS)) == [("STEAD-H074", "c1")]
    assert codes(None, why="etcd is not there") == [("STEAD-H074", "c1")]
    assert codes(None, silent=NAMES) == [("STEAD-H074", "c1")]


def test_one_that_answers_tells_of_all() -> None:
    assert codes({"c1": LEADS, "c2": FOLLOWS}, silent=("c1", "c3")) == [("STEAD-H075", "c3")]


def test_a_controller_alone_keeps_a_file() -> None:
    assert list(diagnosed({"c1": ApiSettings()}, {})) == []
