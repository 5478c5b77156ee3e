"""What a member of an image learns of who shares it."""

from __future__ import annotations

import pytest
from tests.serve.served import Site

from stead.serve.faults import Fault


def test_a_member_is_not_told_what_is_wrong_with_the_owners_project(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    body = {"name": "i", "disk_format": "raw", "container_format": "bare"}
    image = site.call("POST", "/image/v2/images", body, "bob")[2]["id"]
    eve = site.projects["eves"]
    assert site.call("POST", f"/image/v2/images/{image}/members", {"member": eve}, "bob")[0] == 200

    def refusing(*_args: object, **_more: object) -> None:
        raise Fault(400, "STEAD-N001", "bobs/networks/secret is wrong")

    monkeypatch.setattr(site.cloud, "edit", refusing)
    said = {"status": "accepted"}
    status, _, answer = site.call("PUT", f"/image/v2/images/{image}/members/{eve}", said, "eve")
    assert (status, "secret" in str(answer)) == (409, False)
