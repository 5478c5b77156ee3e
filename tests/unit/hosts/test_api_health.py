"""`stead doctor` about the API: whether it answers, and when its certificate ends."""

from __future__ import annotations

import socket
from datetime import UTC, datetime, timedelta

from stead.health.serving import ApiAnswer, ask, diagnosed
from stead.site.inventory.serving import ApiSettings

NOW = datetime(2030, 1, 1, tzinfo=UTC)
SERVING = {"a": ApiSettings(), "b": ApiSettings(own=False), "c": ApiSettings(port=8443)}


def test_what_is_wrong_says_what_to_do() -> None:
    soon = NOW + timedelta(days=9)
    answers = {"a": ApiAnswer(ends=soon), "b": ApiAnswer(ends=soon), "c": ApiAnswer(why="refused")}
    found = [(one.address, one.code, one.detail) for one in diagnosed(SERVING, answers, NOW)]
    assert [one[:2] for one in found] == [("a", "STEAD-H043"), ("b", "STEAD-H043"), ("c", "STEAD-H042")]
    assert "`stead bootstrap` renews it" in found[0][2]
    assert "systemctl restart stead-serve" in found[1][2]
    assert "9 days are left" in found[1][2]
    assert "Port 8443: refused." in found[2][2]


def test_a_good_one_is_no_finding() -> None:
    assert list(diagnosed(SERVING, {"a": ApiAnswer(ends=NOW + timedelta(days=90))}, NOW)) == []


def test_nobody_listens() -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    assert "refused" in ask("127.0.0.1", port).why
