"""What profiles may cost together, and that a profile is the fields written out."""

from __future__ import annotations

from pathlib import Path

import pytest

from stead.core.diagnostics import Diagnostic, Refused
from stead.kinds import kinds
from stead.language.desired import Desired, composing, resolve
from stead.language.spec import Stored, load, load_alone
from stead.language.spec.exported import read_exported

SITE = "stead: 1\nimages: {debian: {source: /d.qcow2}}\nflavors: {small: {vcpus: 1, memory: 1GiB, disk: 10GiB}}\n"


def read(folder: Path, text: str) -> tuple[Desired, list[Diagnostic]]:
    (folder / "stead.yml").write_text(SITE + text)
    spec, found = load([folder / "stead.yml"], kinds(), root=folder)
    assert found == []
    return resolve(spec, key=b"")


def test_a_large_profile_of_many_definitions_is_refused_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(composing, "MOST", 2_000)
    text = "profiles: {large: {size: 1GiB, labels: {%s}}}\nprojects: {acme: {volumes: {%s}}}\n"
    labels = ", ".join(f"l{at}: x" for at in range(100))

    def told(many: int) -> list[str]:
        volumes = ", ".join(f"v{at}: {{profile: large, size: 1GiB}}" for at in range(many))
        return [one.code for one in read(tmp_path, text % (labels, volumes))[1]]

    assert told(5) == []
    assert told(50) == ["STEAD-L005"]


def test_what_a_profile_brings_is_as_if_it_were_written_out(tmp_path: Path) -> None:
    base = "{flavor: small, image: debian, networks: [app], labels: {a: one, b: two}, cloud_init: {user_data: x}}"
    shared = f"""
profiles: {{base: {base}, web: {{labels: {{b: web}}, networks: [app, app]}}}}
projects:
  acme:
    networks: {{app: {{}}}}
    instances:
      one: {{profile: [base, web], labels: {{c: own}}, cloud_init: {{user_data: null, on_change: rebuild}}}}
"""
    plain = """
projects:
  acme:
    networks: {app: {}}
    instances:
      one:
        flavor: small
        image: debian
        networks: [app, app]
        labels: {a: one, b: web, c: own}
        cloud_init: {on_change: rebuild}
"""
    first, second = (read(tmp_path, text)[0] for text in (shared, plain))
    assert [(one.model, one.settings) for one in first.blocks] == [(one.model, one.settings) for one in second.blocks]
    assert first.digest == second.digest


def test_alone_a_profile_may_be_the_sites_and_what_it_may_bring_is_not_missed(tmp_path: Path) -> None:
    """A wrong field is told all the same, and so is a profile of its own that is wrong."""
    file = tmp_path / "acme.yml"
    file.write_text(
        "stead: 1\n"
        "profiles: {own: {size: 1}}\n"
        "volumes: {a: {profile: sites}, b: {profile: sites, sise: 1GiB}, c: {profile: own}, d: sites}\n"
        "instances: {web: {profile: sites, networks: [app], volumes: [a]}}\n"
    )
    spec, found = load_alone(file, "acme", kinds(), root=tmp_path)
    assert found == []
    told = resolve(spec, key=b"", alone=True)[1]
    assert [(one.code, one.place and one.place.line) for one in told] == [("STEAD-L006", 2), ("STEAD-L001", 3)]


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("profiles: {a: {size: 1GiB}}", "profiles"),
        ("volumes: {v: {profile: a}}", "profile"),
        ("volumes: {v: {size: 1GiB, when: true}}", "when"),
    ],
)
def test_a_project_of_the_api_is_written_out(tmp_path: Path, text: str, word: str) -> None:
    file = tmp_path / "acme.yml"
    file.write_text(f"stead: 1\n{text}\n")
    with pytest.raises(Refused) as refused:
        read_exported(file)
    assert [(one.code, f"`{word}`" in one.detail) for one in refused.value.diagnostics] == [("STEAD-L048", True)]


def test_a_document_of_the_api_names_no_profile(tmp_path: Path) -> None:
    (tmp_path / "stead.yml").write_text(f"{SITE}profiles: {{base: {{size: 1GiB}}}}\n")
    stored = Stored(documents={"acme": {"volumes": {"v": "base"}}})
    spec, found = load([tmp_path / "stead.yml"], kinds(), root=tmp_path, stored=stored)
    assert found == []
    assert [one.code for one in resolve(spec, key=b"")[1]] == ["STEAD-L003"]


def test_a_hook_of_a_profile_lies_beside_the_file_that_names_it(tmp_path: Path) -> None:
    part = tmp_path / "parts" / "web.yml"
    part.parent.mkdir()
    part.write_text(
        "stead: 1\nprofiles: {hooked: {hooks: [{playbook: h/a.yml}]}}\nvolumes: {v: {profile: hooked, size: 1GiB}}\n"
    )
    desired, found = read(tmp_path, "projects: {acme: {include: {blue: {part: parts/web.yml}}}}\n")
    assert found == []
    hooks = [hook.playbook for one in desired.of_kind("volumes") for hook in one.settings.hooks]
    assert hooks == [str(tmp_path / "parts" / "h" / "a.yml")]
