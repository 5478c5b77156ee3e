"""What `screen UUID` says where there is none to show. A real one is in tests/lab/test_sudo.py."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.stead.cloud.plugins.module_utils.host.hypervisor import drivers, screens

GUEST = "5e0c1a8e-6a6f-4a32-9b5a-0f1f5d3f6a11"


class Plain:
    """A guest whose hypervisor shows no screens."""

    name = "web"

    def __init__(self, on: bool) -> None:
        self._on = on

    def is_on(self) -> bool:
        return self._on


@pytest.mark.parametrize(
    ("guest", "told"), [(None, "STEAD-E320"), (Plain(on=False), "STEAD-E320"), (Plain(on=True), "STEAD-E300")]
)
def test_what_has_no_screen_is_told(
    guest: Any, told: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(drivers, "find", lambda _uuid, _sessions: guest)
    assert screens.main([GUEST]) == 1
    assert told in capsys.readouterr().err


@pytest.mark.parametrize("words", [[], ["../../etc"], [GUEST, GUEST]])
def test_it_takes_one_uuid_and_nothing_else(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert screens.main(words) == 2
    assert "usage" in capsys.readouterr().err
