"""What a controller says of the images that others take from it: who is asked, and who is told."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from ansible_collections.stead.cloud.plugins.action.converge import said_of_images
from ansible_collections.stead.cloud.plugins.action.image_info import IMAGES, taken_from

FROM = {"host": "ctl-1", "server": "192.0.2.1"}


def step(uuid: str, **want: Any) -> dict[str, Any]:
    return {"kind": "images", "want": {"uuid": uuid, "keeps": False, **want}}


def test_a_controller_is_asked_of_what_others_take_from_it(tmp_path: Path) -> None:
    lanes = {
        "compute-1": [step("a", **{"from": FROM}), {"kind": "images", "want": None}],
        "compute-2": [step("b", **{"from": {**FROM, "host": "ctl-2"}}), {"kind": "networks", "want": {"uuid": "n"}}],
        "ctl-1": [step("c", keeps=True)],
    }
    for host, steps in lanes.items():
        (tmp_path / f"{host}.json").write_text(json.dumps({"steps": steps}))
    assert set(taken_from("ctl-1", str(tmp_path))) == {"a"}
    assert set(taken_from("ctl-3", str(tmp_path))) == set()


def test_a_host_hears_of_an_image_what_that_controller_said(tmp_path: Path) -> None:
    """Another's word on it counts for nothing, and what it does not take is not told."""
    (tmp_path / f"ctl-1{IMAGES}").write_text(json.dumps({"a": {"sha256": "1"}, "x": {"sha256": "3"}}))
    (tmp_path / f"ctl-2{IMAGES}").write_text(json.dumps({"a": {"sha256": "2"}}))
    steps = [step("a", **{"from": FROM}), step("b", **{"from": {**FROM, "host": "ctl-3"}})]
    assert said_of_images(steps, str(tmp_path)) == {"a": {"sha256": "1"}}
