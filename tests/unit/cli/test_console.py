"""What has no console, told before anything is connected to. What has one is in tests/lab/test_sudo.py."""

from __future__ import annotations

from pathlib import Path

import pytest

from stead.cli import main


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("console")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        assert main(["init", "demo"]) == 0
        patch.chdir(folder / "demo")
        assert main(["apply", "-q", "--auto-approve"]) == 0
    return folder / "demo"


@pytest.mark.parametrize(
    ("address", "told"),
    [
        ("acme/instances/web", "Name one of them, such as acme/instances/web[0]."),
        ("acme/networks/app", "acme/networks/app is not an instance on a host."),
        ("acme/instances/db", "STEAD-H021"),
        ("acme/instances/dp", "Did you mean acme/instances/db?"),
    ],
)
def test_what_has_no_console_is_told(
    address: str, told: str, demo: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(demo)
    assert main(["console", address]) == 1
    assert told in capsys.readouterr().err
