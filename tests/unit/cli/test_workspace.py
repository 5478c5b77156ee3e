"""Where things are found, and the key that seals secrets."""

from __future__ import annotations

import argparse
import stat
from pathlib import Path

import pytest

from stead.cli import main
from stead.cli.common import options as shared
from stead.cli.common.workspace import KEY_BYTES, Workspace, open_state, site_key
from stead.core.diagnostics import Refused


def parsed(*words: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    shared.inputs(parser)
    return parser.parse_args(words)


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("STEAD_STORE", "STEAD_STORE_KEY", "STEAD_STORE_KEY_FILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def workspace(root: Path) -> Workspace:
    return Workspace(specs=(root,), root=root, inventories=())


def test_the_spec_is_the_directory_and_the_inventory_lies_beside(here: Path) -> None:
    (here / "stead.yml").touch()
    (here / "inventory.yml").touch()
    found = shared.workspace_of(parsed())
    assert found.specs == (Path(),)
    assert found.inventories == (Path("inventory.yml"),)


def test_an_inventory_with_a_name_of_its_own_is_no_spec(here: Path) -> None:
    for name in ("stead.yml", "networks.yml", "hosts.yml", "x.test.yml"):
        (here / name).touch()
    assert shared.workspace_of(parsed("-i", "hosts.yml")).specs == (Path("networks.yml"), Path("stead.yml"))


def test_state_lies_beside_the_spec_wherever_one_stands(here: Path) -> None:
    (here / "site").mkdir()
    (here / "site" / "stead.yml").touch()
    assert shared.workspace_of(parsed("-s", "site")).directory == Path("site/.stead")
    assert shared.workspace_of(parsed("-s", "site/stead.yml")).directory == Path("site/.stead")


def test_an_option_wins_over_the_environment(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert here.is_dir()
    monkeypatch.setenv("STEAD_STORE", "postgresql://one")
    assert shared.workspace_of(parsed()).store == "postgresql://one"
    assert shared.workspace_of(parsed("--store", "two.db")).store == "two.db"


def test_a_variable_without_a_value_is_refused(here: Path) -> None:
    assert here.is_dir()
    assert shared.workspace_of(parsed("-e", "a=b=c")).variables == {"a": "b=c"}
    with pytest.raises(Refused, match="NAME=VALUE"):
        shared.workspace_of(parsed("-e", "a"))


def test_a_key_is_made_once_and_only_for_its_owner(here: Path) -> None:
    key = site_key(workspace(here))
    assert len(key) == KEY_BYTES
    assert site_key(workspace(here)) == key
    assert stat.S_IMODE((here / ".stead" / "key").stat().st_mode) == 0o600
    assert (here / ".stead" / ".gitignore").read_text() == "*\n"
    assert [path.name for path in (here / ".stead").glob("key*")] == ["key"]


def test_a_damaged_key_is_refused_and_not_replaced(here: Path) -> None:
    site_key(workspace(here))
    (here / ".stead" / "key").write_bytes(b"short")
    with pytest.raises(Refused, match="STEAD-C012"):
        site_key(workspace(here))
    assert (here / ".stead" / "key").read_bytes() == b"short"


def test_who_shares_the_key_of_a_store_shares_the_key_of_secrets(
    here: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STEAD_STORE_KEY", "our passphrase")
    elsewhere = tmp_path_factory.mktemp("colleague")
    assert site_key(workspace(here)) == site_key(workspace(elsewhere))
    assert not (here / ".stead").exists()
    monkeypatch.setenv("STEAD_STORE_KEY", "another")
    assert site_key(workspace(here)) != site_key(workspace(elsewhere))[::-1]


def test_a_store_is_made_only_where_planning_asks_for_it(here: Path) -> None:
    with pytest.raises(Refused, match="STEAD-S014"):
        open_state(workspace(here))
    site = open_state(workspace(here), create=True).site
    assert open_state(workspace(here)).site == site


def test_a_spec_is_validated_from_anywhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Its parts lie beside it, not beside whoever asks."""
    site, elsewhere = tmp_path / "site", tmp_path / "elsewhere"
    for folder in (site, elsewhere):
        folder.mkdir()
    (site / "part.yml").write_text("stead: 1\nnetworks: {a: {subnets: {v4: {cidr: 10.1.0.0/24}}}}\n")
    (site / "stead.yml").write_text("stead: 1\nprojects: {acme: {include: {more: {part: part.yml}}}}\n")
    for folder, path in ((site, "."), (tmp_path, "site"), (elsewhere, str(site)), (elsewhere, str(site / "stead.yml"))):
        monkeypatch.chdir(folder)
        assert main(["validate", path]) == 0, capsys.readouterr()
