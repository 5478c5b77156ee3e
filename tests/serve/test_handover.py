"""A project passes from the API to files and back, and no plan has anything to do."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.serve.served import SITE, workspace_at, write_site

from stead.cli import main
from stead.cli.common.serving import means
from stead.serve.begin import begun
from stead.serve.cloud import Cloud
from stead.serve.edits import Content, Who, put

BOB = Who("bob", "")
USER_DATA = "#!/bin/sh\necho '{{ not_an_expression }}'\n"
FILE = "tenants/acme.yml"
INCLUDED = f"include: [{{project: acme, from: {FILE}}}]\n"
NAMED = SITE.replace("projects:\n", "projects:\n  acme: {display_name: Acme}\n")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(write_site(tmp_path))
    (tmp_path / "tenants").mkdir()
    assert main(["apply", "--auto-approve", "-q"]) == 0
    cloud = Cloud(means(workspace_at(tmp_path)))
    cloud.look()
    begun(cloud, BOB, "Acme")
    web = {"image": "cirros", "flavor": "tiny", "networks": ["inner"], "cloud_init": {"user_data": USER_DATA}}

    def edit(content: Content) -> Content:
        inner = put(content, "networks", "inner", {"subnets": {"v4": {"cidr": "10.5.0.0/24"}}})
        return put(inner, "instances", "web", web)

    cloud.edit("acme", BOB, "a server", edit)
    return tmp_path


def write(folder: Path, text: str) -> None:
    (folder / "stead.yml").write_text(text, encoding="utf-8")


def said(capsys: pytest.CaptureFixture[str], *words: str, status: int = 0) -> str:
    capsys.readouterr()
    assert main([*words]) == status
    found = capsys.readouterr()
    return found.out + found.err


def test_a_project_passes_to_files_and_back(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    said(capsys, "apply", "--auto-approve", "-q")
    before = said(capsys, "show", "acme/instances/web", "--json")
    said(capsys, "export", "acme", "-o", FILE)
    assert (folder / FILE).stat().st_mode & 0o777 == 0o600
    assert "STEAD-C073" in said(capsys, "export", "acme", "-o", FILE, status=1)
    assert said(capsys, "export", "acme") == (folder / FILE).read_text(encoding="utf-8")
    assert "STEAD-C072" in said(capsys, "project", "acme", "--to-files", status=1), "nobody includes it"
    write(folder, INCLUDED + NAMED)
    assert "STEAD-G009" in said(capsys, "plan", status=1), "it has two owners"
    assert FILE in said(capsys, "project", "acme", "--to-files")
    said(capsys, "plan", "--detailed-exitcode")
    assert "STEAD-C070" in said(capsys, "project", "acme", "--to-files", status=1)
    write(folder, NAMED)
    assert "belongs to the API now" in said(capsys, "project", "acme", "--to-api", FILE)
    said(capsys, "plan", "--detailed-exitcode")
    assert "STEAD-C071" in said(capsys, "project", "acme", "--to-api", FILE, status=1)
    assert said(capsys, "show", "acme/instances/web", "--json") == before


def test_what_waits_to_be_applied_keeps_its_owner(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    said(capsys, "export", "acme", "-o", FILE)
    write(folder, INCLUDED + NAMED)
    text = said(capsys, "project", "acme", "--to-files", status=1)
    assert "STEAD-C072" in text
    assert "create acme/instances/web" in text


def test_a_change_is_refused_and_nothing_is_done(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    said(capsys, "apply", "--auto-approve", "-q")
    said(capsys, "export", "acme", "-o", FILE)
    path = folder / FILE
    path.write_text(path.read_text(encoding="utf-8").replace("10.5.0.0/24", "10.6.0.0/24"), encoding="utf-8")
    write(folder, INCLUDED + NAMED)
    assert "acme/networks/inner" in said(capsys, "project", "acme", "--to-files", status=1)
    write(folder, SITE)
    said(capsys, "plan", "--detailed-exitcode")


@pytest.mark.parametrize("line", ["  text: '{{ vars.x }}'", "vars: {x: 1}", "  text: !vault abc"])
def test_what_the_api_cannot_say_is_refused_at_its_line(
    folder: Path, capsys: pytest.CaptureFixture[str], line: str
) -> None:
    (folder / "new.yml").write_text(f"stead: 1\nlabels:\n{line}\n", encoding="utf-8")
    text = said(capsys, "project", "new", "--to-api", "new.yml", status=1)
    assert "STEAD-L048" in text or "STEAD-D" in text
    assert "new.yml:3" in text
