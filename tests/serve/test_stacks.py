"""Stacks through the API: every template that `stead import hot` takes, and what only a plan can tell."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.serve.served import SITE, Site, write_site

from stead.cli import main

CASES = Path(__file__).parents[1] / "cases" / "heat"
TEMPLATES = sorted(path.stem for path in CASES.glob("*.yaml"))
OPERATORS = {"30_provider_net", "31_keystone"}  # they make what is the site's
# The site names no place where images of projects may come from, and grants no address of its network.
NOT_GRANTED = {"18_user_data_file", "20_web_image"}
GIVEN = {"key_name": "ada", "db_password": "correct horse battery staple", "password": "correct horse"}


@pytest.fixture(scope="module")
def heated(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    site = yaml.safe_load((CASES / "site" / "site.yml").read_text())
    site["projects"] = yaml.safe_load(SITE)["projects"]
    folder = write_site(tmp_path_factory.mktemp("heated"), yaml.safe_dump(site))
    (folder / "inventory.yml").write_text((CASES / "site" / "inventory.yml").read_text())
    found = Site(folder)
    yield found
    found.close()


def stacks(site: Site) -> str:
    return f"/orchestration/v1/{site.projects['bobs']}/stacks"


def asked(name: str) -> dict[str, Any]:
    """As the client sends it: with the files that the template names."""
    template = (CASES / f"{name}.yaml").read_text()
    folders = [CASES / "files", CASES / "nested"]
    files = {str(one.relative_to(CASES)): one.read_text() for folder in folders for one in folder.iterdir()}
    environment = CASES / f"{name}.env"
    declared = yaml.safe_load(template).get("parameters") or {}
    return {
        "stack_name": f"st{name}",
        "template": template,
        "files": files,
        "environment": environment.read_text() if environment.exists() else "",
        "parameters": {one: value for one, value in GIVEN.items() if one in declared},
    }


@pytest.mark.parametrize("name", TEMPLATES)
def test_a_template_becomes_a_stack_and_goes_again(heated: Site, name: str) -> None:
    status, _, answer = heated.call("POST", stacks(heated), asked(name), "bob")
    if name in OPERATORS | NOT_GRANTED:
        assert status == (400 if name in OPERATORS else 403), answer
        return
    assert status == 201, answer
    assert heated.worker.wait_idle(30)
    there = f"{stacks(heated)}/st{name}/{answer['stack']['id']}"
    stack = heated.call("GET", there, None, "bob")[2]["stack"]
    assert stack["stack_status"] == "CREATE_COMPLETE"
    assert [one for one in stack["outputs"] if "output_error" in one] == []
    assert heated.call("PUT", there, asked(name), "bob")[0] == 202
    before = heated.worker.plans
    assert heated.worker.wait_idle(30)
    assert heated.worker.plans == before, "an update that changes nothing has nothing to do"
    assert heated.call("DELETE", there, None, "bob")[0] == 204
    assert heated.worker.wait_idle(30)
    left = heated.call("GET", "/compute/v2.1/servers", None, "bob")[2]["servers"]
    assert left == []


TEMPLATE = """
heat_template_version: 2018-08-31
parameters: {text: {type: string, default: "{{ 7 * 7 }}"}}
resources:
  net: {type: OS::Neutron::Net}
  sub: {type: OS::Neutron::Subnet, properties: {network: {get_resource: net}, cidr: 10.7.0.0/24}}
  db: {type: OS::Nova::Server, properties: {image: cirros, flavor: tiny, networks: [{network: {get_resource: net}}]}}
  web:
    type: OS::Heat::ResourceGroup
    properties:
      count: 2
      resource_def:
        type: OS::Nova::Server
        properties:
          image: cirros
          flavor: tiny
          networks: [{network: {get_resource: net}}]
          user_data:
            str_replace:
              template: "DB %index% TEXT {{ x }}"
              params: {DB: {get_attr: [db, first_address]}, TEXT: {get_param: text}}
outputs: {db: {value: {get_attr: [db, first_address]}}}
"""


def test_user_data_has_the_address_that_the_plan_has_chosen(own_site: Site) -> None:
    status, _, answer = own_site.call("POST", stacks(own_site), {"stack_name": "a", "template": TEMPLATE}, "bob")
    assert status == 201, answer
    assert own_site.worker.wait_idle(30)
    there = f"{stacks(own_site)}/a/{answer['stack']['id']}/outputs/db"
    chosen = own_site.call("GET", there, None, "bob")[2]["output"]["output_value"]
    servers = own_site.cloud.world().documents["bobs"].content["instances"].values()
    said = [one["cloud_init"]["user_data"] for one in servers if one.get("cloud_init")]
    assert sorted(said) == [f"{chosen} {at} {{{{ 7 * 7 }}}} {{{{ x }}}}" for at in range(2)]


def test_of_several_stacks_of_one_name_one_is_made(own_site: Site) -> None:
    template = {"heat_template_version": "2018-08-31", "resources": {"net": {"type": "OS::Neutron::Net"}}}
    got: list[int] = []

    def ask() -> None:
        got.append(own_site.call("POST", stacks(own_site), {"stack_name": "b", "template": template}, "bob")[0])

    own_site.token("bob")
    threads = [threading.Thread(target=ask) for _ in range(8)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert sorted(got) == [201] + 7 * [409]
    assert len(own_site.call("GET", stacks(own_site), None, "bob")[2]["stacks"]) == 1


def test_a_step_that_fails_fails_the_stack_until_it_is_done(
    own_site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["simulate", "fail", "--host", "compute-1", "--times", "1000", "--error", "out of luck"]) == 0
    status, _, answer = own_site.call("POST", stacks(own_site), {"stack_name": "c", "template": TEMPLATE}, "bob")
    assert status == 201, answer
    there = f"{stacks(own_site)}/c/{answer['stack']['id']}"
    assert _ended(own_site, there, "CREATE_FAILED")
    resources = own_site.call("GET", f"{there}/resources", None, "bob")[2]["resources"]
    failed = [one["resource_name"] for one in resources if one["resource_status"] == "CREATE_FAILED"]
    assert "db" in failed
    assert main(["simulate", "clear"]) == 0
    own_site.worker.wake()
    assert _ended(own_site, there, "CREATE_COMPLETE")


def _ended(site: Site, there: str, wanted: str) -> bool:
    """The worker tries again by itself."""
    until = time.monotonic() + 60
    while time.monotonic() < until:
        if site.call("GET", there, None, "bob")[2]["stack"]["stack_status"] == wanted:
            return True
        time.sleep(0.2)
    return False


@pytest.mark.parametrize("more", [{"files": {"a": "x" * 600_000}}, {"parameters": {"a": "x" * 600_000}}])
def test_a_stack_is_only_so_large(heated: Site, more: dict[str, Any]) -> None:
    """Each version of the document keeps all of it."""
    text = "heat_template_version: 2018-08-31\nparameters: {a: {type: string, default: b}}\n"
    status, _, answer = heated.call("POST", stacks(heated), {"stack_name": "large", "template": text, **more}, "bob")
    assert (status, "512 KiB" in str(answer)) == (400, True)


def test_servers_of_a_stack_have_copies_of_an_admins_flavor(own_site: Site) -> None:
    flavor = {"name": "m1.made", "ram": 512, "vcpus": 2, "disk": 3}
    status, _, made = own_site.call("POST", "/compute/v2.1/flavors", {"flavor": flavor}, "ada")
    assert status == 200, made
    template = {
        "heat_template_version": "2018-08-31",
        "parameters": {"size": {"type": "string", "default": "m1.made"}},
        "resources": {
            "net": {"type": "OS::Neutron::Net"},
            "sub": {
                "type": "OS::Neutron::Subnet",
                "properties": {"network": {"get_resource": "net"}, "cidr": "10.7.0.0/24"},
            },
            "one": {
                "type": "OS::Nova::Server",
                "properties": {
                    "flavor": {"get_param": "size"},
                    "image": "cirros",
                    "networks": [{"network": {"get_resource": "net"}}],
                },
            },
        },
    }
    wrong = {"stack_name": "wrong", "template": template, "parameters": {"size": "m1.none"}}
    assert own_site.call("POST", stacks(own_site), wrong, "bob")[0] == 400
    status, _, answer = own_site.call("POST", stacks(own_site), {"stack_name": "made", "template": template}, "bob")
    assert status == 201, answer
    assert own_site.worker.wait_idle(60)
    stack = f"{stacks(own_site)}/made/{answer['stack']['id']}"
    flavor_id = made["flavor"]["id"]
    assert own_site.call("DELETE", f"/compute/v2.1/flavors/{flavor_id}", None, "ada")[0] == 202
    assert own_site.call("GET", stack, None, "bob")[2]["stack"]["stack_status"] == "CREATE_COMPLETE"
    assert own_site.call("PUT", stack, {"template": template}, "bob")[0] == 202
    assert own_site.worker.wait_idle(60)
    (server,) = own_site.cloud.world().things("instances", ["bobs"])
    assert (server.model.flavor.vcpus, server.model.flavor.memory, server.state) == (2, 512 << 20, "made")
    assert own_site.call("DELETE", stack, None, "bob")[0] == 204
    assert own_site.worker.wait_idle(60)
    assert not [*own_site.cloud.world().things("instances", ["bobs"])]
