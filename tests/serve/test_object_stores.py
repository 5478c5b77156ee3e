"""The object store in the catalog, and tokens of this server as a store's proxy asks for them, over HTTP."""

from __future__ import annotations

import importlib.util
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from tests.serve.served import INVENTORY, PASSWORD, SITE, Site, write_site

FILTER = (
    Path(__file__).parents[2] / "collections/ansible_collections/stead/cloud/roles/swift/files/stead_object_tokens.py"
)
STORAGE = "    storage: {hosts: {storage-1: {stead_object_drivers: [swift]}}}\n"
STORE = """
object_stores:
  main:
    driver: swift
    secret: 0123456789abcdef0123456789abcdef
    replicas: 1
    url: https://objects.example.org/
    api: {url: "http://192.0.2.1:8774"}
"""


@pytest.fixture(scope="module")
def tokens() -> ModuleType:
    spec = importlib.util.spec_from_file_location("stead_object_tokens", FILTER)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # its annotations are looked up there
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    found = Site(write_site(tmp_path_factory.mktemp("site"), SITE + STORE, INVENTORY + STORAGE))
    yield found
    found.close()


def _of(site: Site, name: str) -> str:
    """A token of its own: it is revoked or used up here."""
    return site.log_in(name)[1]["x-subject-token"]


def test_the_catalog_leads_to_the_account_of_the_project(served: Site) -> None:
    catalog = served.log_in("bob")[2]["token"]["catalog"]
    store = next(one for one in catalog if one["type"] == "object-store")
    account = uuid.UUID(served.projects["bobs"])
    assert store["name"] == "swift"
    assert {one["url"] for one in store["endpoints"]} == {f"https://objects.example.org/v1/AUTH_{account}"}


def test_a_token_is_its_projects_and_a_reader_only_reads(served: Site, tokens: ModuleType) -> None:
    asking = tokens.ApiTokens({"url": served.url})
    account = str(uuid.UUID(served.projects["bobs"]))
    bob, ray = (asking.holder(_of(served, name)) for name in ("bob", "ray"))
    assert (bob.account, bob.writes) == (account, True)
    assert (ray.account, ray.writes) == (account, False)
    assert asking.holder(_of(served, "fay")).account == str(uuid.UUID(served.projects["files"]))


def test_what_is_no_token_for_a_project_is_good_for_nothing(served: Site, tokens: ModuleType) -> None:
    asking = tokens.ApiTokens({"url": served.url})
    user = {"name": "ada", "domain": {"id": "default"}, "password": PASSWORD}
    for scope in ("unscoped", {"system": {"all": True}}):
        body = {"auth": {"identity": {"methods": ["password"], "password": {"user": user}}, "scope": scope}}
        token = served.call("POST", "/identity/v3/auth/tokens", body)[1]["x-subject-token"]
        assert asking.holder(token) is None
    good = _of(served, "bob")
    for bad in ("", "gAAAA", good[:-4] + "AAAA", "gAAAA" + "x" * 5000):
        assert asking.holder(bad) is None


def test_a_credential_for_certain_requests_is_not_good_for_all_objects(served: Site, tokens: ModuleType) -> None:
    bob = served.call("GET", "/identity/v3/auth/tokens", who="bob", headers={"X-Subject-Token": served.token("bob")})
    path = f"/identity/v3/users/{bob[2]['token']['user']['id']}/application_credentials"
    rules: list[Any] = [{"service": "compute", "method": "GET", "path": "/v2.1/servers"}]
    for name, more, good in (("all", {}, True), ("some", {"access_rules": rules}, False)):
        asked = {"application_credential": {"name": name, **more}}
        made = served.call("POST", path, asked, "bob")[2]["application_credential"]
        identity = {
            "methods": ["application_credential"],
            "application_credential": {"id": made["id"], "secret": made["secret"]},
        }
        token = served.call("POST", "/identity/v3/auth/tokens", {"auth": {"identity": identity}})[1]["x-subject-token"]
        assert bool(tokens.ApiTokens({"url": served.url}).holder(token)) is good


def test_a_revoked_token_is_good_for_a_minute_at_most(
    served: Site, tokens: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    asking, token = tokens.ApiTokens({"url": served.url}), _of(served, "bob")
    assert asking.holder(token) is not None
    headers = {"X-Subject-Token": token, "X-Auth-Token": token}
    assert served.call("DELETE", "/identity/v3/auth/tokens", headers=headers)[0] == 204
    monkeypatch.setattr(tokens, "BELIEVED", 0.0)
    assert asking.holder(token) is None
    monkeypatch.setattr(asking, "_sent", _silent)
    with pytest.raises(tokens.ApiSilentError):
        asking.holder(token)  # also not while the API is silent: it was known as revoked


def test_who_was_known_goes_on_for_a_while_without_the_api(
    served: Site, tokens: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    asking, token = tokens.ApiTokens({"url": served.url}), _of(served, "bob")
    assert asking.holder(token) is not None
    monkeypatch.setattr(asking, "_sent", _silent)
    monkeypatch.setattr(tokens, "BELIEVED", 0.0)
    assert asking.holder(token) is not None
    with pytest.raises(tokens.ApiSilentError):
        asking.holder(_of(served, "eve"))
    monkeypatch.setattr(tokens, "ALONE", 0.0)
    with pytest.raises(tokens.ApiSilentError):
        asking.holder(token)


def test_no_more_tokens_are_remembered_than_may_be(
    served: Site, tokens: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tokens, "MOST", 2)
    asking = tokens.ApiTokens({"url": served.url})
    for name in ("bob", "eve", "ray"):
        assert asking.holder(_of(served, name)) is not None
    assert len(asking._known) == 2


def _silent(_token: str) -> tuple[int, bytes]:
    raise ConnectionRefusedError
