"""`/metrics`: who may read it, that it is what Prometheus takes, and that it tells what there is."""

from __future__ import annotations

import re
import subprocess
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.prometheus import promtool
from tests.serve.served import Site

from ansible_collections.stead.cloud.plugins.module_utils.host.base.exposition import Metric
from stead.cli.common.serving import METRICS_TOKEN, metrics_token
from stead.core.diagnostics import Refused
from stead.serve.metrics.site import SiteReading, families


def read(site: Site, **headers: str) -> tuple[int, str, str]:
    names = {name.replace("_", "-"): text for name, text in headers.items()}
    request = urllib.request.Request(f"{site.url}/metrics", headers=names)  # noqa: S310
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310
            return answer.status, answer.read().decode(), answer.headers["content-type"]
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode(), ""


def told(site: Site) -> dict[str, float]:
    status, text, _ = read(site, authorization=f"Bearer {site.means.metrics_token}")
    assert status == 200
    return {line.rpartition(" ")[0]: float(line.rpartition(" ")[2]) for line in text.splitlines() if line[:1] != "#"}


def test_nobody_reads_it_but_with_its_token_or_as_an_admin(site: Site) -> None:
    for headers in (
        {},
        {"authorization": "Bearer "},
        {"authorization": "Bearer x"},
        {"authorization": f"Basic {site.means.metrics_token}"},
        {"authorization": f"Bearer {site.token('bob')}"},
        {"x_auth_token": site.token("bob")},
        {"x_auth_token": site.token("ray")},
        {"x_auth_token": "x"},
        {"x_auth_token": site.means.metrics_token},
        {"authorization": "Bearer \u00e9\u00e9".encode().decode("latin-1")},
    ):
        status, text, _ = read(site, **headers)
        assert (status, "stead_" in text) == (401, False), headers
    assert read(site, authorization=f"bearer {site.means.metrics_token}")[0] == 200
    assert read(site, x_auth_token=site.token("ada"))[0] == 200


def test_without_a_token_only_an_admin_reads_it(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(type(site.means), "metrics_token", "", raising=False)
    assert read(site, authorization="Bearer ")[0] == 401
    assert read(site, x_auth_token=site.token("ada"))[0] == 200


def test_prometheus_takes_both_forms(site: Site) -> None:
    bearer = f"Bearer {site.means.metrics_token}"
    _, text, form = read(site, authorization=bearer)
    assert form.startswith("text/plain; version=0.0.4")
    checked = subprocess.run([promtool(), "check", "metrics"], input=text, capture_output=True, text=True, check=False)
    assert (checked.returncode, checked.stderr) == (0, "")
    _, modern, form = read(site, authorization=bearer, accept="application/openmetrics-text; version=1.0.0")
    assert form.startswith("application/openmetrics-text")
    assert modern.endswith("\n# EOF\n")
    assert "# TYPE stead_api_requests counter" in modern
    assert re.search(r"^stead_api_requests_total\{", modern, re.MULTILINE)


def test_it_tells_what_there_is_and_what_is_done(own_site: Site) -> None:
    site = own_site
    before = told(site)
    assert before['stead_host_state{host="compute-1",state="up"}'] == 1
    assert before['stead_host_vcpus{host="compute-1",zone="default"}'] == 48
    net = site.call("POST", "/network/v2.0/networks", {"network": {"name": "n"}}, "bob")[2]["network"]["id"]
    subnet = {"subnet": {"network_id": net, "cidr": "10.5.0.0/24"}}
    site.call("POST", "/network/v2.0/subnets", subnet, "bob")
    tiny = site.call("GET", "/compute/v2.1/flavors", None, "bob")[2]["flavors"][1]["id"]
    image = site.call("GET", "/image/v2/images", None, "bob")[2]["images"][0]["id"]
    asked = {"server": {"name": 'a "b"\\', "flavorRef": tiny, "imageRef": image}}
    site.call("POST", "/compute/v2.1/servers", asked, "bob")
    assert site.worker.wait_idle(30)
    after = told(site)
    assert after['stead_project_amount{detail="",meter="vcpus",project="bobs"}'] == 1
    assert after['stead_project_amount{detail="tiny",meter="running",project="bobs"}'] == 1
    assert after['stead_host_amount{host="compute-1",meter="memory"}'] == 512 << 20
    assert after['stead_pool_promised_bytes{pool="default"}'] == 1 << 30
    assert [one for name, one in after.items() if name.startswith("stead_instance_on{")] == [1]
    assert after['stead_drift{project="bobs"}'] == 0
    assert after['stead_runs{outcome="done"}'] > before['stead_runs{outcome="done"}']
    made = 'stead_api_requests_total{method="POST",route="/compute/v2.1/servers",service="compute",status="202"}'
    assert after[made] == 1
    assert after["stead_plan_seconds_count"] >= before["stead_plan_seconds_count"] + 3
    assert after['stead_plan_seconds_bucket{le="+Inf"}'] == after["stead_plan_seconds_count"]


def test_a_client_makes_no_series_of_its_own(own_site: Site) -> None:
    for number in range(5):
        own_site.call("GET", f"/compute/v2.1/servers/{number}", None, "bob")
        own_site.call("GET", f"/nowhere/{number}", None, "bob")
    names = [name for name in told(own_site) if "servers" in name or "nowhere" in name]
    assert len(names) == 1
    assert "/compute/v2.1/servers/{id}" in names[0]


def test_the_token_is_made_once_and_for_its_owner_alone(own_site: Site) -> None:
    from tests.serve.served import workspace_at

    workspace = workspace_at(own_site.means.root)
    path = Path(workspace.directory / METRICS_TOKEN)
    assert path.stat().st_mode & 0o777 == 0o600
    assert metrics_token(workspace) == own_site.means.metrics_token == path.read_text().strip()
    path.write_text("short\n")
    with pytest.raises(Refused, match="STEAD-C081"):
        metrics_token(workspace)


def test_what_has_not_changed_is_not_made_anew(own_site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[SiteReading] = []

    def counted(site: SiteReading) -> Iterator[Metric]:
        made.append(site)
        return families(site)

    monkeypatch.setattr("stead.serve.metrics.page.families", counted)
    assert own_site.worker.wait_idle(30)
    first, again = told(own_site), told(own_site)
    assert len(made) == 1
    assert first['stead_runs{outcome="done"}'] == again['stead_runs{outcome="done"}']
    own_site.call("POST", "/network/v2.0/networks", {"network": {"name": "n"}}, "bob")
    assert own_site.worker.wait_idle(30)
    assert told(own_site)['stead_resources{kind="networks",project="bobs"}'] == 1
    assert len(made) > 1
