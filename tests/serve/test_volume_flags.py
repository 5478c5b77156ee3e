"""What is said of a volume holds where a server uses it."""

from __future__ import annotations

from tests.serve.served import Site

from stead.core.address import Address
from stead.serve.edits import Who, put


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


def test_a_volume_takes_no_lock_of_a_server_with_its_name(own_site: Site) -> None:
    """Names of a project that came from files are people's own."""
    site, who = own_site, Who("tests", "")
    server = {"image": "cirros", "flavor": "tiny", "networks": []}
    site.cloud.edit("bobs", who, "a server", lambda content: put(content, "instances", "web", server))
    site.cloud.edit("bobs", who, "a volume", lambda content: put(content, "volumes", "web", {"size": "1GiB"}))
    world = site.cloud.world()
    id_, volume = (world.id_of(Address("bobs", kind, "web")) for kind in ("instances", "volumes"))
    action = f"/compute/v2.1/servers/{id_}/action"
    assert site.call("POST", action, {"lock": None}, "ada")[0] == 202
    assert site.worker.wait_idle(30)
    assert site.call("DELETE", f"/volume/v3/{site.projects['bobs']}/volumes/{volume}", None, "bob")[0] == 202
    assert site.call("POST", action, {"os-stop": None}, "bob")[0] == 409
