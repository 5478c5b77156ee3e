"""Subnet pools are notes of a project's document, so each of its versions has them all."""

from __future__ import annotations

import pytest
from tests.serve.served import Site

from stead.serve.network import subnet_pool_calls

POOLS = "/network/v2.0/subnetpools"


def test_pools_of_a_project_are_counted(own_site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(subnet_pool_calls, "MOST", 2)
    pool = {"name": "p", "prefixes": ["10.0.0.0/8"]}
    assert own_site.call("POST", POOLS, {"subnetpools": [pool] * 3}, "bob")[0] == 409
    assert own_site.call("POST", POOLS, {"subnetpools": [pool] * 2}, "bob")[0] == 201
    status, _, body = own_site.call("POST", POOLS, {"subnetpool": pool}, "bob")
    assert (status, body["NeutronError"]["type"]) == (409, "OverQuota")
    assert own_site.call("POST", POOLS, {"subnetpool": pool}, "eve")[0] == 201
