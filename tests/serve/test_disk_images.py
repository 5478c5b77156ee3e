"""Images of servers and of volumes: registered at once, made by the server's own thread, and begun anew by the next."""

from __future__ import annotations

import contextlib
import os
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from tests.serve.portal.browsing import with_server
from tests.serve.served import Site

from stead.core.address import Address
from stead.core.diagnostics import Code, Refused
from stead.core.value import replace
from stead.drivers.hypervisor import of
from stead.serve.compute import images
from stead.serve.edits import Content, Who
from stead.serve.faults import Fault
from stead.serve.image import image_calls
from stead.serve.image.images import RegisteredImage
from stead.serve.image.rotation import surplus
from stead.serve.image.saving import WHO, ImageSaver

NO = Code("STEAD-C090", "no image can be made of the disk")
CONTENT = b"QFI\xfb and the rest"


@pytest.fixture(scope="module")
def server(site: Site) -> str:
    made = with_server(site, "bob", "golden")
    assert site.worker.wait_idle(60)
    return made


@pytest.fixture
def saved(site: Site, monkeypatch: pytest.MonkeyPatch) -> list[Address]:
    found: list[Address] = []

    def save(disk: Address, path: Path) -> None:
        found.append(disk)
        path.write_bytes(CONTENT)

    monkeypatch.setattr(site.cloud, "means", replace(site.means, save_image=save))
    return found


def make(site: Site, server: str, name: str = "gold", who: str = "bob", **more: Any) -> tuple[int, str, Any]:
    status, headers, answer = site.call(
        "POST", f"/compute/v2.1/servers/{server}/action", {"createImage": {"name": name, **more}}, who
    )
    return status, headers.get("location", "").rpartition("/")[2], answer


def image(site: Site, id_: str, who: str = "bob") -> Any:
    status, _, answer = site.call("GET", f"/image/v2/images/{id_}", None, who)
    return answer if status == 200 else status


def files_of(site: Site) -> list[bytes]:
    """What is in them. One may go while it is looked for."""
    found = []
    for path in (site.means.uploads / "bobs").iterdir():
        with contextlib.suppress(FileNotFoundError):
            found.append(path.read_bytes())
    return found


def until(site: Site, id_: str, state: str) -> Any:
    for _ in range(200):
        if image(site, id_)["status"] == state:
            return image(site, id_)
        time.sleep(0.05)
    raise AssertionError(image(site, id_))


def test_a_servers_root_disk_becomes_an_image_that_servers_start_from(
    site: Site, server: str, saved: list[Address]
) -> None:
    status, id_, answer = make(site, server, metadata={"made_for": "web"})
    assert (status, answer) == (202, b"")
    found = until(site, id_, "active")
    assert (found["name"], found["disk_format"], found["size"]) == ("gold", "qcow2", len(CONTENT))
    assert (found["made_for"], found["image_type"], found["min_disk"]) == ("web", "snapshot", 1)
    _, _, listed = site.call("GET", f"/compute/v2.1/images?type=snapshot&server={server}", None, "bob")
    assert [one["id"] for one in listed["images"]] == [id_]
    _, _, told = site.call("GET", f"/compute/v2.1/images/{id_}", None, "bob")
    assert (told["image"]["server"]["id"], told["image"]["status"]) == (server, "ACTIVE")
    (disk,) = saved
    assert (disk.project, disk.kind) == ("bobs", "instances")
    assert site.call("GET", f"/image/v2/images/{id_}/file", None, "bob")[0] == 200
    flavors = site.call("GET", "/compute/v2.1/flavors", None, "bob")[2]["flavors"]
    body = {"server": {"name": "next", "flavorRef": flavors[1]["id"], "imageRef": id_, "networks": "none"}}
    status, _, answer = site.call("POST", "/compute/v2.1/servers", body, "bob")
    assert status == 202, answer
    assert site.worker.wait_idle(60)
    assert site.call("DELETE", f"/image/v2/images/{id_}", None, "bob")[0] == 409, "a server uses it"
    assert image(site, id_, "eve") == 404


@pytest.mark.usefixtures("saved")
def test_a_volume_becomes_an_image(site: Site) -> None:
    status, _, answer = site.call("POST", f"/volume/v3/{site.projects['bobs']}/volumes", {"volume": {"size": 2}}, "bob")
    assert status == 202, answer
    assert site.worker.wait_idle(60)
    path = f"/volume/v3/{site.projects['bobs']}/volumes/{answer['volume']['id']}/action"
    said = {"os-volume_upload_image": {"image_name": "data", "disk_format": "raw"}}
    status, _, answer = site.call("POST", path, said, "bob")
    assert status == 202, answer
    told = answer["os-volume_upload_image"]
    assert (told["status"], told["disk_format"], told["size"]) == ("uploading", "qcow2", 2)
    assert until(site, told["image_id"], "active")["min_disk"] == 2
    assert [site.call("POST", path, said, who)[0] for who in ("eve", "ray")] == [404, 403]
    assert site.call("POST", path, {"os-volume_upload_image": {}}, "bob")[0] == 400


def test_what_cannot_be_asked_is_refused(site: Site, server: str) -> None:
    assert [make(site, server, who=who)[0] for who in ("eve", "ray")] == [404, 403]
    assert make(site, server, name="")[0] == 400
    for odd in ({"a": 1}, {"": ""}, {"a" * 256: "b"}, {"a": "b" * 256}):
        assert make(site, server, metadata=odd)[0] == 400
    assert make(site, server, metadata="x")[0] == 400


def test_a_container_has_no_disk_to_make_an_image_of(
    site: Site, server: str, saved: list[Address], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(images, "of", lambda _hypervisor, feature: of("lxc", feature))
    status, _, answer = make(site, server)
    assert status == 501
    assert "container" in str(answer)
    assert saved == []


def test_why_it_failed_is_told_and_it_can_be_deleted(site: Site, server: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def save(_disk: Address, path: Path) -> None:
        path.write_bytes(b"half")
        raise Refused(NO.at(None, "compute-1: STEAD-E305: libvirt refuses it."))

    monkeypatch.setattr(site.cloud, "means", replace(site.means, save_image=save))
    _, id_, _ = make(site, server)
    told = until(site, id_, "error")["stead_error"]
    assert "STEAD-E305" in told
    assert "compute-1" not in told, "hosts are the operators' business"
    assert b"half" not in files_of(site)
    assert site.call("DELETE", f"/image/v2/images/{id_}", None, "bob")[0] == 204
    assert image(site, id_) == 404


def test_one_that_is_deleted_meanwhile_leaves_nothing(site: Site, server: str, monkeypatch: pytest.MonkeyPatch) -> None:
    begun, go_on = threading.Event(), threading.Event()

    def save(_disk: Address, path: Path) -> None:
        path.write_bytes(b"too late")
        begun.set()
        assert go_on.wait(30)

    monkeypatch.setattr(site.cloud, "means", replace(site.means, save_image=save))
    _, id_, _ = make(site, server)
    assert begun.wait(30)
    assert image(site, id_)["status"] == "saving"
    assert site.call("PUT", f"/image/v2/images/{id_}/file", None, "bob", raw=b"other")[0] == 409
    assert site.call("DELETE", f"/image/v2/images/{id_}", None, "bob")[0] == 204
    go_on.set()
    for _ in range(100):
        if b"too late" not in files_of(site):
            break
        time.sleep(0.05)
    assert b"too late" not in files_of(site)
    assert image(site, id_) == 404


def test_the_next_server_goes_on_with_what_was_asked(
    site: Site, server: str, saved: list[Address], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(site.worker._images, "wake", lambda: None)  # this one is killed before it begins
    _, id_, _ = make(site, server)
    left = site.means.uploads / "bobs" / ".half.new"
    left.write_bytes(b"")
    os.utime(left, (0, 0))
    assert image(site, id_)["status"] == "saving"
    following = ImageSaver(site.cloud)
    following.start()
    try:
        until(site, id_, "active")
    finally:
        following.stop()
    assert len(saved) == 1
    assert not left.exists()


def test_all_that_are_being_made_count_for_the_quota(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    go_on = threading.Event()

    def save(_disk: Address, path: Path) -> None:
        assert go_on.wait(30)
        path.write_bytes(CONTENT)

    monkeypatch.setattr(site.cloud, "means", replace(site.means, save_image=save))
    server = with_server(site, "eve", "counted")
    assert site.worker.wait_idle(60)

    def one(content: Content) -> Content:
        return {**content, "project": {**content["project"], "quota": {"images": 1}}}

    site.cloud.edit("eves", Who("tests", ""), "quota", one)
    status, id_, _ = make(site, server, who="eve")
    assert status == 202
    assert make(site, server, who="eve")[0] == 403
    go_on.set()
    for _ in range(200):
        if image(site, id_, "eve")["status"] == "active":
            break
        time.sleep(0.05)
    assert make(site, server, who="eve")[0] == 403


def test_of_two_servers_that_make_the_same_each_has_a_file_of_its_own(
    site: Site, server: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The one that ends later must not change what the other has told the checksum of."""
    begun, go_on = threading.Event(), threading.Event()

    def save(_disk: Address, path: Path) -> None:
        first = not begun.is_set()
        begun.set()
        assert not first or go_on.wait(30)
        path.write_bytes(b"late" if first else CONTENT)

    monkeypatch.setattr(site.cloud, "means", replace(site.means, save_image=save))
    _, id_, _ = make(site, server, name="twice")
    assert begun.wait(30)
    following = ImageSaver(site.cloud)
    following.start()
    try:
        assert until(site, id_, "active")["size"] == len(CONTENT)
    finally:
        following.stop()
    go_on.set()
    _, other, _ = make(site, server, name="next")
    until(site, other, "active")  # the first server has ended the other one by now
    status, _, content = site.call("GET", f"/image/v2/images/{id_}/file", None, "bob")
    assert (status, content) == (200, CONTENT)
    assert b"late" not in files_of(site)


def test_a_project_that_cannot_be_planned_holds_up_no_other(
    site: Site, server: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    tries: list[Address] = []

    def save(disk: Address, path: Path) -> None:
        tries.append(disk)
        path.write_bytes(CONTENT)

    edit = site.cloud.edit

    def refusing(project: str, who: Who, reason: str, asked: Any, **more: Any) -> Any:
        if reason in ("make an image of a disk", "fail an image") and who == WHO:
            raise Fault(503, "STEAD-W010", "The site cannot be planned just now.")
        return edit(project, who, reason, asked, **more)

    monkeypatch.setattr(site.cloud, "means", replace(site.means, save_image=save))
    monkeypatch.setattr(site.cloud, "edit", refusing)
    _, id_, _ = make(site, server, name="stuck")
    time.sleep(1)
    assert 1 <= len(tries) <= 3, "it is not read again and again"
    monkeypatch.setattr(site.cloud, "edit", edit)
    site.worker.wake()
    until(site, id_, "active")


def test_a_change_that_comes_too_late_does_not_make_it_again(
    site: Site, server: str, saved: list[Address], monkeypatch: pytest.MonkeyPatch
) -> None:
    _, id_, _ = make(site, server, name="late")
    until(site, id_, "active")
    key = next(thing.address.name for thing in site.cloud.world().things("images", ["bobs"]) if thing.id == id_)
    before = RegisteredImage("bobs", key, id_, {"saving": "instances/x", "name": "late"})
    monkeypatch.setattr(image_calls, "waiting_one", lambda _call, _world: before)  # as it was read
    patch = [{"op": "replace", "path": "/name", "value": "other"}]
    assert site.call("PATCH", f"/image/v2/images/{id_}", patch, "bob")[0] == 409
    assert len(saved) == 1
    assert site.call("DELETE", f"/image/v2/images/{id_}", None, "bob")[0] == 204
    monkeypatch.undo()
    assert image(site, id_) == 404


def test_backups_replace_the_oldest_of_their_type(site: Site, server: str, saved: list[Address]) -> None:
    made, before = [], len(saved)
    for name, type_ in (("a", "daily"), ("b", "weekly"), ("c", "daily"), ("d", "daily")):
        said = {"createBackup": {"name": name, "backup_type": type_, "rotation": 2}}
        status, headers, _ = site.call("POST", f"/compute/v2.1/servers/{server}/action", said, "bob")
        assert status == 202
        made.append(headers["location"].rpartition("/")[2])
        if name == "a":
            until(site, made[0], "active")
            (path,) = (
                Path(one.model.source) for one in site.cloud.world().things("images", ["bobs"]) if one.id == made[0]
            )
            assert path.exists()
        until(site, made[-1], "active")
    assert len(saved) == before + 4
    assert image(site, made[0]) == 404
    assert not path.exists()
    assert [image(site, one)["name"] for one in made[1:]] == ["b", "c", "d"]
    assert image(site, made[3])["backup_type"] == "daily"
    for wrong in ({"rotation": 0}, {"rotation": "x"}, {"backup_type": ""}):
        said = {"createBackup": {"name": "e", "backup_type": "daily", "rotation": 2, **wrong}}
        assert site.call("POST", f"/compute/v2.1/servers/{server}/action", said, "bob")[0] == 400


def test_a_backup_that_is_in_use_or_protected_is_kept() -> None:
    def one(**more: Any) -> dict[str, Any]:
        about = {"image_type": "backup", "backup_type": "daily", "instance_uuid": "x"}
        return {"source": "/f", "properties": about, **more}

    images = {"img-1": one(), "img-2": one(protect=True), "img-3": one(), "img-4": one(), "img-5": one()}
    volumes = {"vol": {"from": {"image": "img-4"}}}
    content = {"images": images, "instances": {"vm": {"image": "img-1"}}, "volumes": volumes}
    assert surplus(content, "img-5", 1) == {"img-3": "/f"}
    assert surplus(content, "img-5", 0) == {}
