"""Documents of the API beside the files of a site: read with a project file's walls, and every text of them literal."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from stead.core.address import Address
from stead.core.diagnostics import Diagnostic
from stead.kinds import kinds
from stead.language.desired import Desired, resolve
from stead.language.spec import Stored, load

SITE = """
stead: 1
flavors: {small: {vcpus: 1, memory: 1GiB, disk: 1GiB}}
images: {debian: {source: /srv/debian.qcow2}}
networks: {public: {type: flat, physical: ext, external: true, subnets: {v4: {cidr: 203.0.113.0/24}}}}
"""
NET = {"app": {"subnets": {"v4": {"cidr": "10.20.0.0/24"}}}}


def read(tmp_path: Path, content: Mapping[str, Any], site: str = SITE) -> tuple[Desired, list[Diagnostic]]:
    (tmp_path / "site.yml").write_text(site, encoding="utf-8")
    stored = Stored(documents={"acme": content}, uploads="/srv/uploads")
    spec, found = load([tmp_path / "site.yml"], kinds(), root=tmp_path, stored=stored)
    desired, more = resolve(spec, key=b"k")
    return desired, [*found, *more]


def server(**fields: Any) -> dict[str, Any]:
    return {"flavor": "small", "image": "debian", "networks": ["app"], **fields}


def codes(found: list[Diagnostic]) -> list[str]:
    return [one.code for one in found]


def test_a_document_is_a_project_of_its_own_people(tmp_path: Path) -> None:
    desired, found = read(tmp_path, {"networks": NET, "instances": {"web": server()}})
    assert found == []
    block = desired.by_address[Address("acme", "instances", "web")]
    assert block.project_file
    assert desired.files["the API's document of acme"] == "acme"


def test_braces_that_came_through_the_api_are_braces(tmp_path: Path) -> None:
    text = "{{ projects.birch }} {% for x in y %}"
    web = server(
        display_name=text,
        description=text,
        labels={"a": text},
        cloud_init={"user_data": text, "meta_data": {"b": text}},
    )
    desired, found = read(tmp_path, {"networks": NET, "instances": {"web": web}})
    assert found == []
    block = desired.by_address[Address("acme", "instances", "web")]
    assert block.settings.display_name == text
    assert block.settings.labels == {"a": text}
    assert block.model.description == text
    assert block.model.cloud_init.user_data == text
    assert block.model.cloud_init.meta_data == {"b": text}
    assert block.late == ()


def test_what_reaches_beyond_the_project_needs_a_grant(tmp_path: Path) -> None:
    content = {"networks": NET, "instances": {"web": server(host="compute-1")}}
    assert codes(read(tmp_path, content)[1]) == ["STEAD-G003"]
    granted = f"{SITE}\ngrants: {{acme: {{hosts: [compute-1]}}}}\n"
    assert read(tmp_path, content, granted)[1] == []


def test_its_own_uploads_are_images_and_those_of_others_are_not(tmp_path: Path) -> None:
    def image(folder: str) -> dict[str, Any]:
        return {"images": {"mine": {"source": f"/srv/uploads/{folder}/1", "format": "raw"}}}

    assert read(tmp_path, image("acme"))[1] == []
    assert codes(read(tmp_path, image("birch"))[1]) == ["STEAD-G003"]
    assert "STEAD-G003" in codes(read(tmp_path, image("acme/../birch"))[1])


def test_a_project_belongs_to_files_or_to_the_api(tmp_path: Path) -> None:
    site = f"{SITE}\nprojects: {{acme: {{networks: {{mine: {{}}}}}}}}\n"
    assert "STEAD-G009" in codes(read(tmp_path, {"networks": NET}, site)[1])


def test_the_site_says_of_such_a_project_what_is_the_sites_to_say(tmp_path: Path) -> None:
    site = f"{SITE}\nprojects: {{acme: {{quota: {{networks: 0}}}}}}\n"
    assert (
        "STEAD-R005" in codes(read(tmp_path, {"networks": NET}, site)[1]) or read(tmp_path, {"networks": NET}, site)[1]
    )
    assert read(tmp_path, {"project": {"description": "of the API"}}, site)[1] == []


def test_a_name_for_people_changes_no_want(tmp_path: Path) -> None:
    plain, _ = read(tmp_path, {"networks": NET})
    named, found = read(tmp_path, {"networks": {"app": {**NET["app"], "display_name": "App", "tags": ["a", "b"]}}})
    address = Address("acme", "networks", "app")
    assert found == []
    assert named.by_address[address].model == plain.by_address[address].model
    assert named.by_address[address].settings.tags == ("a", "b")
