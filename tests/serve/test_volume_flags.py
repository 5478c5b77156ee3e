"""What is said of a volume holds where a server uses it."""

from __future__ import annotations

from tests.serve.served import Site


def test_a_volume_that_may_not_be_written_is_attached_so(own_site: Site) -> None:
    site = own_site
    project = site.projects["bobs"]
    flavor = site.call("GET", "/compute/v2.1/flavors", who="bob")[2]["flavors"][-1]["id"]
    image = site.call("GET", "/image/v2/images", who="bob")[2]["images"][0]["id"]
    volume = site.call("POST", f"/volume/v3/{project}/volumes", {"volume": {"size": 1}}, "bob")[2]["volume"]["id"]
    said = {"os-update_readonly_flag": {"readonly": True}}
    assert site.call("POST", f"/volume/v3/{project}/volumes/{volume}/action", said, "bob")[0] == 202
    body = {"server": {"name": "web", "flavorRef": flavor, "imageRef": image, "networks": "none"}}
    server = site.call("POST", "/compute/v2.1/servers", body, "bob")[2]["server"]["id"]
    body = {"volumeAttachment": {"volumeId": volume}}
    assert site.call("POST", f"/compute/v2.1/servers/{server}/os-volume_attachments", body, "bob")[0] == 200

    thing = site.cloud.world().find("instances", server, "bobs", what="server")

    assert [one.mode for one in thing.model.volumes] == ["ro"]
