"""What profiles may cost together, and that a profile is the fields written out."""

from __future__ import annotations

from pathlib import Path

import pytest

from stead.core.diagnostics import Diagnostic
from stead.kinds import kinds
from stead.language.desired import Desired, composing, resolve
from stead.language.spec import load

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
