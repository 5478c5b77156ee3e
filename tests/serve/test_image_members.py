"""What a member of an image learns of who shares it, and what nobody can do to others by an image."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest
from tests.serve.served import Site

from stead.serve import uploads
from stead.serve.faults import Fault
from stead.serve.image import image_calls

IMAGES = "/image/v2/images"
PATCH = {"Content-Type": "application/openstack-images-v2.1-json-patch"}
FORMS = {"disk_format": "raw", "container_format": "bare"}


def registered(site: Site, who: str = "bob", **more: str) -> str:
    return str(site.call("POST", IMAGES, {"name": "i", **FORMS, **more}, who)[2]["id"])


def test_a_member_is_not_told_what_is_wrong_with_the_owners_project(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    image = registered(site)
    eve = site.projects["eves"]
    assert site.call("POST", f"{IMAGES}/{image}/members", {"member": eve}, "bob")[0] == 200

    def refusing(*_args: object, **_more: object) -> None:
        raise Fault(400, "STEAD-N001", "bobs/networks/secret is wrong")

    monkeypatch.setattr(site.cloud, "edit", refusing)
    said = {"status": "accepted"}
    status, _, answer = site.call("PUT", f"{IMAGES}/{image}/members/{eve}", said, "eve")
    assert (status, "secret" in str(answer)) == (409, False)


@pytest.mark.parametrize(
    ("name", "value"),
    [("tags", [["x"]]), ("tags", ["x"] * 129), ("min_disk", 10**30), ("name", "x" * 256), ("about", "x" * 4097)],
)
def test_a_patch_says_what_a_registration_may(site: Site, name: str, value: object) -> None:
    """What no list could tell would hide from others all that is shared with them."""
    image = registered(site, visibility="community")
    patch = [{"op": "add" if name == "about" else "replace", "path": f"/{name}", "value": value}]
    assert site.call("PATCH", f"{IMAGES}/{image}", patch, "bob", headers=PATCH)[0] == 400
    found = site.call("GET", f"{IMAGES}?visibility=community", None, "eve")
    assert (found[0], image in {one["id"] for one in found[2]["images"]}) == (200, True)


def test_properties_and_tags_of_an_image_are_counted(own_site: Site) -> None:
    image = registered(own_site)
    for part in range(3):
        patch = [{"op": "add", "path": f"/p{part}-{number}", "value": "x"} for number in range(50)]
        status = own_site.call("PATCH", f"{IMAGES}/{image}", patch, "bob", headers=PATCH)[0]
        assert status == (200 if part < 2 else 400)


def test_images_without_bytes_are_counted(own_site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(image_calls, "MOST_WAITING", 2)
    assert [own_site.call("POST", IMAGES, FORMS, "bob")[0] for _ in range(3)] == [201, 201, 413]
    assert own_site.call("POST", IMAGES, FORMS, "eve")[0] == 201


def test_nothing_is_written_for_whom_has_no_token(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    begun = list[object]()

    def noticed(folder: Path) -> tuple[int, str]:
        begun.append(folder)
        return tempfile.mkstemp()

    monkeypatch.setattr(uploads, "_begun", noticed)
    image = registered(site)
    for who in ("", "ray"):  # a reader
        assert site.call("PUT", f"{IMAGES}/{image}/file", None, who, raw=b"bytes")[0] in (401, 403)
    assert begun == []


def test_a_refused_server_leaves_no_copy_of_an_image(own_site: Site) -> None:
    """It would be room that no quota counts, once the owner deletes the image."""
    image = registered(own_site, visibility="community")
    assert own_site.call("PUT", f"{IMAGES}/{image}/file", None, "bob", raw=b"bytes")[0] == 204
    flavors = own_site.call("GET", "/compute/v2.1/flavors", None, "eve")[2]["flavors"]
    chosen = {one["name"]: one["id"] for one in flavors}
    net = own_site.call("POST", "/network/v2.0/networks", {"network": {"name": "n"}}, "eve")[2]["network"]["id"]
    subnet = {"subnet": {"network_id": net, "cidr": "10.5.0.0/24"}}
    assert own_site.call("POST", "/network/v2.0/subnets", subnet, "eve")[0] == 201
    folder = own_site.means.uploads / "eves"
    statuses = []
    for flavor in ("huge", "tiny"):
        server = {"name": "s", "flavorRef": chosen[flavor], "imageRef": image, "networks": [{"uuid": net}]}
        statuses.append(own_site.call("POST", "/compute/v2.1/servers", {"server": server}, "eve")[0])
        assert len([*folder.glob("copy_of-*")]) == (1 if flavor == "tiny" else 0)
    assert statuses[0] != 202
    assert statuses[1] == 202
    assert own_site.call("DELETE", f"{IMAGES}/{image}", None, "bob")[0] == 204
    assert own_site.worker.wait_idle(30)
    assert [one.read_bytes() for one in folder.glob("copy_of-*")] == [b"bytes"]


def test_who_may_not_see_an_image_learns_nothing_of_it(own_site: Site) -> None:
    image = registered(own_site, visibility="private")
    assert own_site.call("PUT", f"{IMAGES}/{image}/file", None, "bob", raw=b"bytes")[0] == 204
    assert own_site.call("POST", f"{IMAGES}/{image}/actions/deactivate", None, "bob")[0] == 204
    volume = {"volume": {"size": 1, "imageRef": image}}
    status, _, answer = own_site.call("POST", f"/volume/v3/{own_site.projects['eves']}/volumes", volume, "eve")
    assert (status, "active" in str(answer)) == (404, False)


def test_a_new_project_is_not_the_one_of_its_name_that_is_gone(own_site: Site) -> None:
    """What others had shared with that one was for its people."""
    projects = "/identity/v3/projects"
    first = own_site.call("POST", projects, {"project": {"name": "again"}}, "ada")[2]["project"]["id"]
    image = registered(own_site)
    assert own_site.call("POST", f"{IMAGES}/{image}/members", {"member": first}, "bob")[0] == 200
    assert own_site.call("DELETE", f"{projects}/{first}", None, "ada")[0] == 204
    assert own_site.worker.wait_idle(30)
    second = own_site.call("POST", projects, {"project": {"name": "again"}}, "ada")[2]["project"]
    assert (second["name"], second["id"] != first) == ("again", True)
