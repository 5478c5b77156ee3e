"""Routes of a router: what is there as it should be is left alone, also the way to everywhere else."""

from __future__ import annotations

import json
from typing import Any

import pytest

from ansible_collections.stead.cloud.plugins.module_utils.host import router, running


class Work:
    def __init__(self) -> None:
        self.lines: list[str] = []

    def batch(self, _tool: str, lines: list[str], _namespace: str) -> None:
        self.lines = lines


@pytest.mark.parametrize(
    ("wanted", "there", "lines"),
    [
        ("0.0.0.0/0", {"dst": "default", "gateway": "10.0.0.9"}, []),
        ("10.1.0.0/16", {"dst": "10.1.0.0/16", "gateway": "10.0.0.9"}, []),
        (
            "10.1.0.0/16",
            {"dst": "default", "gateway": "10.0.0.9"},
            ["route del 0.0.0.0/0 via 10.0.0.9", "route replace 10.1.0.0/16 via 10.0.0.9"],
        ),
    ],
)
def test_a_route_that_is_there_is_left_alone(
    wanted: str, there: dict[str, Any], lines: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(running, "attempt", lambda command: (0, json.dumps([there] if "-4" in command else []), ""))
    work = Work()
    router._routes({"routes": [{"to": wanted, "via": "10.0.0.9"}]}, "a-namespace", work)
    assert work.lines == lines
