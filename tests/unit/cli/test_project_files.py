"""Project files at the command line: checked alone, named in plans, and stopped before they reach anybody else."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from stead.cli import main

TENANT = """\
stead: 1
vars: {count: {type: integer}}
networks: {app: {subnets: {v4: {cidr: 10.20.0.0/24}}}}
routers: {edge: {external: public, networks: [app]}}
instances: {web: {count: "{{ vars.count }}", flavor: small, image: debian-12, networks: [app], keypairs: [ada]}}
"""


def alone(folder: Path, text: str, *more: str) -> int:
    (folder / "tenants/acme").mkdir(parents=True, exist_ok=True)
    (folder / "tenants/acme/app.yml").write_text(text)
    return main(["validate", "--as", "acme", "tenants/acme", *more])


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_project_file_is_checked_without_the_sites(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Names that it has not may be the site's; the variables are those that the site gives."""
    assert alone(here, TENANT, "-e", "count=2") == 0
    assert "no errors" in capsys.readouterr().out
    assert alone(here, TENANT) == 1
    assert "STEAD-L031" in capsys.readouterr().err


@pytest.mark.parametrize("inventory", ["tenants/acme/hosts.ini", "tenants", "linked.yml", "hosts.yml"])
def test_what_a_projects_people_write_is_no_part_of_the_inventory(
    here: Path, inventory: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """In their folder, above it, or by a link to there; and variables beside it."""
    hosts = "all: {vars: {stead_runner: simulated}, children: {compute: {hosts: {compute-1: {}}}}}"
    (here / "tenants/acme").mkdir(parents=True)
    (here / "stead.yml").write_text("stead: 1\nprojects: {acme: {}}\ninclude: [{project: acme, from: tenants/acme}]")
    (here / "tenants/acme/app.yml").write_text("stead: 1")
    (here / "tenants/acme/hosts.ini").write_text("[compute]\ncompute-1 stead_runner=simulated\n")
    (here / "site").mkdir()
    (here / "site/hosts.yml").write_text(hosts)
    named = here / inventory
    if inventory == "linked.yml":
        named.symlink_to("tenants/acme/hosts.ini")
    elif inventory == "hosts.yml":
        named = here / "site/hosts.yml"
        (here / "site/group_vars").symlink_to(here / "tenants/acme")
    assert main(["plan", "-i", str(named), "-s", "stead.yml"]) == 1
    told = capsys.readouterr().err
    assert "STEAD-G001" in told
    assert "by the people of acme" in " ".join(told.split())


def test_what_needs_a_grant_is_a_warning_where_grants_are_not_known(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert alone(here, "stead: 1\nvolumes: {v: {size: 1GiB, pool: fast, host: storage-1}}", "--json") == 0
    found = json.loads(capsys.readouterr().out)["diagnostics"]
    assert [one["code"] for one in found] == ["STEAD-G004", "STEAD-G004"]
    assert "grants: {acme: {pools: [fast]}}" in found[0]["detail"]


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("projects: {blue: {}}", "STEAD-G002"),
        ("moved: [{from: blue/networks/a, to: networks/b}]\nnetworks: {b: {}}", "STEAD-G003"),  # volumes: test_passing
        ("include: {a: {part: ../../../etc/passwd}}", "STEAD-L027"),
        ("volumes: {b: {size: 1GiB, depends_on: [blue/volumes/a]}}", "STEAD-R010"),
        ("volumes: {b: {size: 1GiB, from: {volume: a}}}", "STEAD-R001"),  # volumes are never the site's
    ],
)
def test_what_no_grant_allows_is_refused_early(
    text: str, code: str, here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert alone(here, f"stead: 1\n{text}\n") == 1
    assert code in capsys.readouterr().err


def test_as_takes_one_path_and_a_name(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["validate", "--as", "acme"]) == 1
    assert main(["validate", "--as", "../acme", "tenants"]) == 1
    assert capsys.readouterr().err.count("STEAD-C011") == 2
    assert here


def test_a_plan_says_whose_files_it_is_made_from(demo: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["plan", "--json"]) == 0
    assert "files" not in json.loads(capsys.readouterr().out)
    (demo / "more.yml").write_text("stead: 1\ninclude: {project: tenant, from: tenants/t}\n")
    (demo / "tenants/t").mkdir(parents=True)
    (demo / "tenants/t/a.yml").write_text("stead: 1\nvolumes: {v: {size: 1GiB}}\n")
    assert main(["plan", "--json"]) == 0
    files = {"more.yml": "", "stead.yml": "", "tenants/t/a.yml": "tenant"}
    assert json.loads(capsys.readouterr().out)["files"] == files
    assert main(["plan"]) == 0
    assert "- the site: more.yml, stead.yml\n- project tenant: tenants/t/a.yml\n" in capsys.readouterr().out


def test_a_project_file_that_reaches_beyond_is_no_plan(demo: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (demo / "more.yml").write_text("stead: 1\ninclude: {project: tenant, from: tenants/t}\n")
    (demo / "tenants/t").mkdir(parents=True)
    (demo / "tenants/t/a.yml").write_text("stead: 1\nvolumes: {v: {size: 1GiB, host: compute-1, pool: x}}\n")
    assert main(["plan"]) == 1
    told = capsys.readouterr().err
    assert told.count("STEAD-G003") == 2
    assert "tenants/t/a.yml:2:33 tenant/volumes/v" in told
