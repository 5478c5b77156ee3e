"""A volume that passes to another project keeps its id, its host and what is on it, and is never in two projects."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.serve.served import Site, write_site

from stead.core.address import Address
from stead.serve.edits import Content, Who
from stead.serve.together import edit_together
from stead.serve.world import CloudState
from stead.store.codes import OVERTAKEN
from stead.store.model import Document


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    found = Site(write_site(tmp_path / "site"))
    yield found
    found.close()


def ask(site: Site, who: str, method: str, path: str, body: Any = None) -> tuple[int, Any]:
    status, _, answer = site.call(method, f"/volume/v3/{site.projects[f'{who}s']}/{path}", body, who)
    return status, answer


def offered(site: Site) -> tuple[str, str, dict[str, Any]]:
    """Volume, transfer, and the body that accepts it."""
    volume = ask(site, "bob", "POST", "volumes", {"volume": {"size": 1}})[1]["volume"]["id"]
    assert site.worker.wait_idle(30)
    transfer = ask(site, "bob", "POST", "os-volume-transfer", {"transfer": {"volume_id": volume}})[1]["transfer"]
    return volume, transfer["id"], {"accept": {"auth_key": transfer["auth_key"]}}


def records(site: Site) -> dict[Address, Any]:
    found = site.cloud.store.recorded().resources
    return {address: one for address, one in found.items() if address.kind == "volumes"}


def steps_of(site: Site) -> list[str]:
    return [one.what for address in records(site) for one in site.cloud.store.history(address)]


def test_it_is_the_same_volume_under_another_name(site: Site) -> None:
    _volume, transfer, key = offered(site)
    ((old, before),) = records(site).items()
    assert ask(site, "eve", "POST", f"os-volume-transfer/{transfer}/accept", key)[0] == 202
    assert site.worker.wait_idle(30)
    ((new, after),) = records(site).items()
    assert (old.project, new.project) == ("bobs", "eves")
    assert before.leases == after.leases
    assert before.host == after.host
    assert "moved" in steps_of(site)
    assert not {"destroy", "replace"} & {*steps_of(site)}
    world = site.cloud.world()
    planned, found = site.cloud.plan(world.desired, world, world.documents)
    assert planned.plan is not None
    assert (planned.plan.empty, found) == (True, [])


def test_of_two_who_accept_one_gets_it(site: Site) -> None:
    volume, transfer, key = offered(site)
    answers: list[int] = []

    def accept(who: str) -> None:
        answers.append(ask(site, who, "POST", f"os-volume-transfer/{transfer}/accept", key)[0])

    for name in ("eve", "ada"):
        site.token(name)
    threads = [threading.Thread(target=accept, args=(who,)) for who in ("eve", "ada")]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert sorted(answers) == [202, 404]
    assert site.worker.wait_idle(30)
    assert len(records(site)) == 1
    (volume_now,) = records(site)
    assert volume_now.project in ("eves", "adas")
    assert ask(site, "bob", "GET", f"volumes/{volume}")[0] == 404


def test_where_somebody_else_saves_one_of_the_two_neither_is_saved(site: Site) -> None:
    store, asked = site.cloud.store, 0
    before = {name: one.revision for name, one in store.documents().items()}

    def overtaken(_world: CloudState) -> dict[str, Any]:
        nonlocal asked
        asked += 1
        if asked == 1:  # between what was looked at and what is saved
            eves = store.documents()["eves"]
            store.save_document(
                Document(project="eves", revision=eves.revision + 1, who="x", reason="x", content=eves.content)
            )

        def described(content: Content) -> Content:
            return {**content, "project": {**content["project"], "description": "both"}}

        return {"bobs": described, "eves": described}

    edit_together(site.cloud, Who("tests", ""), "both", overtaken, lambda _plan: None)
    after = store.documents()
    assert asked == 2
    assert (after["bobs"].revision, after["eves"].revision) == (before["bobs"] + 1, before["eves"] + 2)
    assert {after[name].content["project"]["description"] for name in ("bobs", "eves")} == {"both"}
    assert OVERTAKEN.id.startswith("STEAD-S")


def test_a_server_that_was_killed_in_between_goes_on(site: Site, tmp_path: Path) -> None:
    volume, transfer, key = offered(site)
    site.worker.stop()
    assert ask(site, "eve", "POST", f"os-volume-transfer/{transfer}/accept", key)[0] == 202
    assert {one.project for one in records(site)} == {"bobs"}
    again = Site(tmp_path / "site", site.projects)
    assert again.worker.wait_idle(30)
    assert {one.project for one in records(again)} == {"eves"}
    assert ask(again, "eve", "GET", f"volumes/{volume}")[1]["volume"]["status"] == "available"
    again.close()


def test_one_project_alone_gives_and_takes_nothing(site: Site) -> None:
    volume, _transfer, _key = offered(site)
    (old,) = records(site)
    new = Address("eves", "volumes", "vol-taken")
    pair = [[str(old), str(new)]]
    store = site.cloud.store
    eves = store.documents()["eves"]
    content = {**eves.content, "volumes": {"vol-taken": {"size": "1GiB"}}, "passed": pair}
    store.save_document(Document(project="eves", revision=eves.revision + 1, who="x", reason="x", content=content))
    site.worker.wake()
    assert site.worker.wait_idle(30)
    assert {one.project for one in records(site)} == {"bobs", "eves"}
    assert ask(site, "bob", "GET", f"volumes/{volume}")[0] == 200
    assert ask(site, "eve", "GET", f"volumes/{volume}")[0] == 404
