"""A rebuild loses one root disk, once, and agrees to lose nothing else."""

from __future__ import annotations

from typing import Any

from tests.serve.served import Site
from tests.serve.test_worker import wanted

from stead.core.effect import Action
from stead.plan.planner import Wishes, make_plan
from stead.serve import notes
from stead.serve.cloud import contents_of
from stead.serve.consents import agreed
from stead.serve.edits import Content, Who


def _server(site: Site) -> str:
    server: str = site.call("POST", "/compute/v2.1/servers", {"server": wanted(site)}, "bob")[2]["server"]["id"]
    assert site.worker.wait_idle(30)
    return server


def _steps(site: Site, content: Content) -> Any:
    """Of what the worker would plan now, with this document."""
    cloud = site.cloud
    world = cloud.world()
    desired, _ = cloud.means.read({**contents_of(world.documents), "bobs": content})
    cloud.look()
    planned, _ = make_plan(cloud.inputs(desired, world, cloud.observed), Wishes())
    assert planned.plan is not None
    return [one for one in planned.plan.steps if one.address.project == "bobs"]


def test_a_root_disk_is_made_anew_once_though_its_consent_stays(site: Site) -> None:
    server, cloud = _server(site), site.cloud
    image = site.call("GET", "/compute/v2.1/images", who="bob")[2]["images"][0]["id"]
    before = site.worker.plans
    said = {"rebuild": {"imageRef": image}}
    assert site.call("POST", f"/compute/v2.1/servers/{server}/action", said, "bob")[0] == 202
    assert site.worker.wait_idle(30)
    assert site.worker.plans == before + 1
    content = cloud.world().documents["bobs"].content
    key = next(name for name, one in content["instances"].items() if one.get("disk"))
    assert notes.of(content, key)[notes.REBUILT] == content["instances"][key]["disk"]["generation"] == 2
    assert _steps(site, content) == []  # nor would a server that starts again


def test_a_rebuild_agrees_to_no_other_disk(site: Site) -> None:
    _server(site)
    content = site.cloud.world().documents["bobs"].content
    key = next(iter(content["instances"]))
    entry = content["instances"][key]
    generation = entry.get("disk", {}).get("generation", 1)
    asked = {**content, "instances": {**content["instances"], key: {**entry, "disk": {"generation": generation + 1}}}}
    (step,) = _steps(site, asked)
    assert step.action is Action.REBUILD
    assert not agreed(step, asked)
    assert not agreed(step, notes.note(key, rebuilt=generation)(asked))  # the consent of an earlier one
    assert agreed(step, notes.note(key, rebuilt=generation + 1)(asked))
    plans = site.worker.plans
    site.cloud.edit("bobs", Who("tests", ""), "by hand", lambda _content: asked, loses=lambda _one: True)
    assert site.worker.wait_idle(30)
    assert site.worker.plans == plans  # the worker leaves it alone
