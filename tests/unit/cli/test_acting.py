"""`--as USER`: what members and others may change, by what was applied last and not by the change itself."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from stead.cli import main

SITE = """
stead: 1
users:
  ada: {admin: true}
  off: {admin: true, enabled: false}
include:
  - {project: acme, from: tenants/acme.yml}
  - {project: birch, from: tenants/birch.yml}
grants: {acme: {pools: [fast]}}
projects:
  acme: {members: [mia, {name: ray, role: reader}, off], networks: {site-made: {subnets: {v4: {cidr: 10.1.0.0/24}}}}}
  birch: {members: [{name: bea, role: manager}]}
"""
TENANT = """
stead: 1
networks: {app: {subnets: {v4: {cidr: 10.2.0.0/24}}}}
"""
INVENTORY = """
all:
  vars: {stead_runner: simulated}
  children:
    network: {hosts: {network-1: {}}}
    compute: {hosts: {compute-1: {stead_vcpus: 8, stead_memory: 16GiB}}}
"""
MORE = TENANT + "routers: {edge: {networks: [app]}}\n"
Say = Callable[..., tuple[int, str]]


@pytest.fixture
def say(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Say:
    (tmp_path / "tenants").mkdir()
    monkeypatch.chdir(tmp_path)
    for name, text in {
        "stead.yml": SITE, "inventory.yml": INVENTORY, "tenants/acme.yml": TENANT, "tenants/birch.yml": TENANT
    }.items():  # fmt: skip
        Path(name).write_text(text)

    def run(*words: str) -> tuple[int, str]:
        capsys.readouterr()
        return main([*words]), capsys.readouterr().err

    assert run("apply", "--auto-approve", "-q")[0] == 0
    return run


def write(file: str, text: str) -> None:
    assert Path(file).read_text() != text
    Path(file).write_text(text)


def test_nothing_changed_is_nobodys_change(say: Say) -> None:
    for user in ("ada", "mia", "nobody"):
        assert say("plan", "--as", user) == (0, "")


def test_a_member_changes_the_files_of_the_project(say: Say) -> None:
    write("tenants/acme.yml", MORE)
    assert say("plan", "--as", "mia")[0] == 0
    assert say("plan", "--as", "ada")[0] == 0
    for user in ("ray", "bea", "off", "nobody", ""):
        status, told = say("plan", "--as", user) if user else (1, "STEAD-G014 acme/routers tenants/acme.yml")
        assert status == 1
        assert "STEAD-G014" in told
        assert "acme/routers" in told
        assert "tenants/acme.yml" in told
    status, told = say("apply", "--as", "bea", "--auto-approve")
    assert status == 1
    assert "STEAD-G014" in told
    assert say("apply", "--as", "mia", "--auto-approve", "-q")[0] == 0
    assert say("plan", "--as", "bea") == (0, "")  # it is applied, so it is no change of hers


@pytest.mark.parametrize(
    ("before", "after", "what"),
    [
        ("[mia,", "[{name: mia, role: manager}, bea,", "projects/acme"),
        ("ada: {admin: true}", "ada: {admin: true}\n  mia: {admin: true}", "users/mia"),
        ("enabled: false", "enabled: true", "users/off"),
        ("pools: [fast]", "pools: [fast], snat_off: true", "grants"),
        ("10.1.0.0/24", "10.3.0.0/24", "acme/networks"),
        ("stead: 1", "stead: 1\nsite: {quota: {instances: 5}}", "site"),
        ("from: tenants/acme.yml", "from: people/acme.yml", "include"),
        ("stead: 1", "stead: 1\noutputs: {x: 1}", "outputs"),
    ],
)
def test_the_sites_own_is_changed_by_its_operators(say: Say, before: str, after: str, what: str) -> None:
    """A member who gets more by the same change has nothing of it yet."""
    if what == "include":
        Path("people").mkdir()
        Path("tenants/acme.yml").rename("people/acme.yml")
    write("stead.yml", SITE.replace(before, after, 1))
    status, told = say("plan", "--as", "mia")
    assert status == 1
    assert "STEAD-G014" in told
    assert f"{what} differs" in told
    assert say("plan", "--as", "ada")[0] == 0
    assert say("apply", "--as", "mia", "--auto-approve")[0] == 1


def test_what_leaves_the_files_of_a_project_for_those_of_the_site_is_the_sites(say: Say) -> None:
    """There it could do what no grant allows."""
    write("tenants/acme.yml", "stead: 1\n")
    write(
        "stead.yml",
        SITE.replace("networks: {site-made", "networks: {app: {subnets: {v4: {cidr: 10.2.0.0/24}}}, site-made"),
    )
    status, told = say("plan", "--as", "mia")
    assert status == 1
    assert "acme/networks differs" in told


def test_the_inventory_is_the_sites(say: Say) -> None:
    write("inventory.yml", INVENTORY.replace("16GiB", "32GiB"))
    status, told = say("plan", "--as", "mia")
    assert status == 1
    assert "inventory differs" in told


def test_a_part_that_is_gone_is_a_change(say: Say) -> None:
    write("tenants/birch.yml", "stead: 1\n")
    assert say("plan", "--as", "bea")[0] == 0
    status, told = say("plan", "--as", "mia")
    assert status == 1
    assert "birch/networks differs" in told


def test_what_is_asked_on_the_command_line_is_of_the_own_project(say: Say) -> None:
    assert say("plan", "--as", "mia", "--replace", "acme/networks/app")[0] == 0
    for words in (["--replace", "birch/networks/app"], ["--destroy"], ["--refresh-only"]):
        status, told = say("plan", "--as", "mia", *words)
        assert status == 1, words
        assert "STEAD-G014" in told, words
        assert say("plan", "--as", "ada", *words)[0] == 0, words


def test_what_was_applied_in_part_is_not_what_is_compared_with(say: Say) -> None:
    write("tenants/acme.yml", MORE)
    write("stead.yml", SITE.replace("pools: [fast]", "pools: [fast], snat_off: true"))
    assert say("apply", "--target", "birch/networks/app", "--auto-approve", "-q")[0] == 0
    status, told = say("plan", "--as", "mia")
    assert status == 1
    assert "grants differs" in told
    assert say("plan", "--as", "bea")[1].count("STEAD-G014") == 2


def test_a_plan_file_is_applied_as_somebody(say: Say) -> None:
    write("tenants/acme.yml", MORE)
    assert say("plan", "-o", "today.plan")[0] == 0
    status, told = say("apply", "today.plan", "--as", "bea")
    assert status == 1
    assert "STEAD-G014" in told
    assert say("apply", "today.plan", "--as", "mia", "-q")[0] == 0


def test_before_the_first_apply_only_who_names_nobody_may_anything(say: Say) -> None:
    for file in Path(".stead").iterdir():
        if file.is_file():
            file.unlink()
    status, told = say("plan", "--as", "mia", "--store", "other.db")
    assert status == 1
    assert "STEAD-G015" in told


def test_a_view_and_a_review_know_nobody(say: Say) -> None:
    assert say("plan", "--save-view", "site.view")[0] == 0
    for words in (["plan", "--untrusted", "site.view"], ["apply", "--reviewed", "1"]):
        status, told = say(*words, "--as", "mia")
        assert status == 1, words
        assert "--as" in told, words


def test_a_project_of_the_api_is_changed_by_its_requests(say: Say) -> None:
    """They are no change of whoever changes files, who does not get more in it by a file either."""
    write("stead.yml", SITE.replace("  - {project: birch, from: tenants/birch.yml}\n", ""))
    assert say("project", "birch", "--to-api", "tenants/birch.yml") == (0, "")
    without = Path("stead.yml").read_text()
    status, told = say("plan", "--as", "mia")
    assert status == 1
    assert "include differs" in told
    assert say("apply", "--as", "ada", "--auto-approve", "-q")[0] == 0
    assert say("plan", "--as", "mia") == (0, "")
    write("stead.yml", without.replace("{name: bea, role: manager}", "{name: bea, role: manager}, mia"))
    status, told = say("plan", "--as", "mia")
    assert status == 1
    assert "projects/birch differs" in told
