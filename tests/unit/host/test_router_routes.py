"""Routes of a router: what is there as it should be is left alone, also the way to everywhere else."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest

from ansible_collections.stead.cloud.plugins.module_utils.host.net.linuxbridge import routers


class Work:
    def __init__(self, there: dict[str, Any]) -> None:
        self.lines: list[str] = []
        self.now = SimpleNamespace(namespaces=lambda: {"a-namespace"}, routes=lambda _namespace: [there])

    def differs(self, *_what: object) -> None:
        pass

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
def test_a_route_that_is_there_is_left_alone(wanted: str, there: dict[str, Any], lines: list[str]) -> None:
    work = Work(there)
    routers._routes({"routes": [{"to": wanted, "via": "10.0.0.9"}]}, "a-namespace", cast("Any", work))
    assert work.lines == lines
