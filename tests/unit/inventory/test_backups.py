"""`stead_backup`: what is read."""

from __future__ import annotations

from pathlib import Path

import pytest

from stead.site.inventory import read_inventory


def told(folder: Path, host: str) -> tuple[dict[str, tuple[str, dict[str, int]]], list[str]]:
    path = folder / "inventory.yml"
    path.write_text(f"storage: {{hosts: {{a: {host}, b: {{}}}}}}\n")
    inventory, found = read_inventory([path])
    places = {name: (one.path, dict(one.keep)) for name, one in inventory.backups.items()}
    return places, [f"{one.code} {one.detail}" for one in found]


def test_a_path_is_enough(tmp_path: Path) -> None:
    assert told(tmp_path, "{stead_backup: /srv/backup}") == ({"a": ("/srv/backup", {})}, [])
    keep = "{stead_backup: {path: /srv/backup, keep: {daily: 7, monthly: 12}}}"
    assert told(tmp_path, keep) == ({"a": ("/srv/backup", {"daily": 7, "monthly": 12})}, [])


def test_a_time_needs_a_controller_that_keeps_it(tmp_path: Path) -> None:
    timed = "{stead_backup: {path: /srv/backup, at: '03:00'}}"
    assert "no controller has `stead_serve`" in told(tmp_path, timed)[1][0]
    (tmp_path / "more").mkdir()
    path = tmp_path / "more" / "inventory.yml"
    path.write_text(f"storage: {{hosts: {{a: {timed}}}}}\ncontroller: {{hosts: {{c: {{stead_serve: {{}}}}}}}}\n")
    inventory, found = read_inventory([path])
    assert found == []
    assert inventory.backups["a"].at == "03:00"


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ("{}", "has path ''"),
        ("backup", "has path 'backup'"),
        ("/", "has path '/'"),
        ("{path: /srv/backup, pass: x}", "has 'pass'"),
        ("{path: /srv/backup, at: noon}", "has at 'noon'"),
        ("{path: /srv/backup, at: '24:00'}", "has at '24:00'"),
        ("{path: /srv/backup, at: 3}", "has at 3"),
        ("{path: /srv/backup, at: '03:00\\nUser=root'}", "has at"),
        ("{path: /srv/backup, keep: {fortnightly: 2}}", "has 'fortnightly' in keep"),
        ("{path: /srv/backup, keep: {daily: -1}}", "is -1"),
    ],
)
def test_what_is_not_understood_is_said(tmp_path: Path, given: str, why: str) -> None:
    places, (found,) = told(tmp_path, f"{{stead_backup: {given}}}")
    assert places == {}
    assert found.startswith("STEAD-H104 stead_backup of a ")
    assert why in found
