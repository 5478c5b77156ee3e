"""What a project exports arrives where it is used, as a value, and nothing else of the project does."""

from __future__ import annotations

from pathlib import Path

import pytest

from stead.cli import main
from stead.plan import file as plans

SPEC = """stead: 1
include:
  - {project: acme, from: tenants/acme.yml}
  - {project: birch, from: tenants/birch.yml}
flavors: {small: {vcpus: 1, memory: 1GiB, disk: 10GiB}}
images: {debian: {source: /srv/d.qcow2}}
site: {image_sources: [/srv/], quota: {instances: 2}}
"""
ACME = """stead: 1
networks: {app: {subnets: {v4: {cidr: 10.20.0.0/24}}}}
exports:
  db: {value: {at: ["{{ instances.db.address }}"], of: "{{ instances.db.name }}"}, to: [birch]}
  seen: "{{ projects.birch.exports.web }}"
instances: {db: {flavor: small, image: debian, networks: [{network: app, address: 10.20.0.77}]}}
"""
BIRCH = """stead: 1
networks: {app: {subnets: {v4: {cidr: 10.20.0.0/24}}}}
exports: {web: "it is {{ instances.web.name }}"}
instances:
  web:
    flavor: small
    image: debian
    networks: [app]
    cloud_init: {user_data: "db={{ projects.acme.exports.db.at[0] }} {{ projects.acme.exports.seen }}"}
"""


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "tenants").mkdir()
    for name, text in (("stead.yml", SPEC), ("tenants/acme.yml", ACME), ("tenants/birch.yml", BIRCH)):
        (tmp_path / name).write_text(text)
    hosts = "hosts: {compute-1: {stead_vcpus: 8, stead_memory: 16GiB, stead_pools: {default: 1TiB}}}"
    (tmp_path / "inventory.yml").write_text(
        f"all: {{vars: {{stead_runner: simulated}}, children: {{compute: {{{hosts}}}, network: {{{hosts}}}}}}}"
    )
    return tmp_path


def planned() -> str:
    assert main(["plan", "--quiet", "-o", "it.plan"]) == 0
    plan = plans.load(Path("it.plan"))
    (web,) = [step for step in plan.steps if str(step.address) == "birch/instances/web"]
    assert web.want is not None
    return str(web.want.fields()["seed"]["user_data"])


def test_an_export_arrives_with_its_type_and_all_that_it_stands_on(site: Path) -> None:
    assert planned() == "db=10.20.0.77 it is web"
    (site / "tenants/acme.yml").write_text(ACME.replace(".77", ".78"))
    assert planned() == "db=10.20.0.78 it is web"


def test_what_is_exported_to_another_is_not_there(site: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (site / "tenants/acme.yml").write_text(ACME.replace("to: [birch]", "to: [acme]"))
    assert main(["plan"]) == 1
    assert "STEAD-G007" in capsys.readouterr().err


def test_exports_that_need_each_other_are_told(site: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (site / "tenants/birch.yml").write_text(
        BIRCH.replace("it is {{ instances.web.name }}", "{{ projects.acme.exports.seen }}")
    )
    assert main(["plan"]) == 1
    told = capsys.readouterr().err
    assert "STEAD-L060" in told
    assert "needs itself" in told


def test_a_project_without_a_quota_has_the_sites(site: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Limit by limit: what it says itself counts."""
    more = BIRCH.replace("    flavor", "    count: 3\n    flavor", 1).replace(
        "instances.web.name", "instances.web[0].name"
    )
    (site / "tenants/birch.yml").write_text(more)
    assert main(["validate"]) == 1
    told = " ".join(capsys.readouterr().err.split())
    assert "STEAD-Q001" in told
    assert "projects/birch" in told
    assert "the quota is 2" in told
    (site / "stead.yml").write_text(SPEC + "projects: {birch: {quota: {instances: 3, volumes: 1}}}")
    assert main(["validate"]) == 0
