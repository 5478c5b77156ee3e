"""Who writes a file owns what it may say: whose a file is, what leads out of it, and who opens which secrets."""

from __future__ import annotations

from pathlib import Path

import pytest
from ansible.parsing.vault import VaultLib, VaultSecret

from stead.core.diagnostics import Diagnostic
from stead.core.fields import Password, Secret
from stead.core.value import fields_of
from stead.kinds import kinds
from stead.language.desired import Desired, resolve
from stead.language.spec import load
from stead.language.spec.sources import within

FLAVOR = "{vcpus: 1, memory: 1GiB, disk: 10GiB}"


def written(folder: Path, **files: str) -> Path:
    """`tenants__acme__app` is tenants/acme/app.yml; each begins with the version."""
    for name, text in files.items():
        path = folder / (name.replace("__", "/") + ".yml")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"stead: 1\n{text}\n")
    return folder


def read(folder: Path, *passwords: Password) -> tuple[Desired, list[Diagnostic]]:
    spec, found = load([folder], kinds(), root=folder, vault_secrets=passwords)
    desired, more = resolve(spec, key=b"key")
    return desired, [*found, *more]


def codes(folder: Path, *passwords: Password) -> list[str]:
    return [one.code for one in read(folder, *passwords)[1]]


@pytest.mark.parametrize(
    "inclusion",
    ["{project: acme, from: .}", "{project: acme, from: stead.yml}", "{project: acme, from: acme.yml}"],
)
def test_a_file_that_the_site_reads_is_no_project_file(inclusion: str, tmp_path: Path) -> None:
    """Else whoever owns it would have all of the site's rights."""
    written(tmp_path, stead=f"include: {inclusion}", acme="")
    assert codes(tmp_path) == ["STEAD-G001"]


def test_a_part_of_the_site_lies_in_no_folder_of_a_project(tmp_path: Path) -> None:
    site = "include: {project: acme, from: tenants/acme}\nprojects: {blue: {include: {a: {part: tenants/acme/a.yml}}}}"
    written(tmp_path, stead=site, tenants__acme__a="volumes: {a: {size: 1GiB}}")
    assert codes(tmp_path) == ["STEAD-G001"]


@pytest.mark.parametrize(
    "site",
    [
        "site: {hooks: {notify: {playbook: tenants/acme/notify.yml}}}",
        "projects: {blue: {volumes: {v: {size: 1GiB, hooks: [{playbook: tenants/acme/notify.yml}]}}}}",
    ],
)
def test_no_hook_of_the_sites_lies_where_a_projects_people_write(site: str, tmp_path: Path) -> None:
    """They would write what runs on the controller."""
    written(tmp_path, stead=f"include: {{project: acme, from: tenants/acme}}\n{site}", tenants__acme__a="")
    assert codes(tmp_path) == ["STEAD-G001"]


@pytest.mark.parametrize("second", ["tenants/acme", "tenants", "tenants/acme/below"])
def test_a_folder_belongs_to_one_project(second: str, tmp_path: Path) -> None:
    site = f"include: [{{project: acme, from: tenants/acme}}, {{project: blue, from: {second}}}]"
    written(tmp_path, stead=site, tenants__acme__a="", tenants__acme__below__b="", tenants__c="")
    assert codes(tmp_path) == ["STEAD-G001"]


@pytest.mark.parametrize("link", ["tenants", "tenants/acme", "tenants/acme/a.yml", "tenants/acme/parts"])
def test_no_link_leads_out_of_a_project_file(link: str, tmp_path: Path) -> None:
    folder = tmp_path / "spec"
    part = "include: {a: {part: parts/a.yml}}"
    written(folder, stead="include: {project: acme, from: tenants/acme}")
    written(folder, tenants__acme__a=part, tenants__acme__parts__a="volumes: {a: {size: 1GiB}}")
    assert codes(folder) == []
    (folder / link).rename(folder / "moved")  # also inside of the spec's directory
    (folder / link).symlink_to(folder / "moved")
    assert codes(folder) == ["STEAD-L027"]


def test_a_project_file_is_never_a_device_or_a_pipe(tmp_path: Path) -> None:
    import os

    written(tmp_path, stead="include: {project: acme, from: tenants/acme}", tenants__acme__a="")
    os.mkfifo(tmp_path / "tenants/acme/b.yml")
    assert codes(tmp_path) == ["STEAD-L020"]


def test_a_single_file_has_no_parts(tmp_path: Path) -> None:
    written(tmp_path, stead="include: {project: acme, from: t/acme.yml}", t__blue="volumes: {v: {size: 1GiB}}")
    written(tmp_path, t__acme="include: {a: {part: blue.yml}}")
    assert codes(tmp_path) == ["STEAD-L027"]


def test_a_projects_variable_is_no_text_outside_of_its_folder(tmp_path: Path) -> None:
    for file, found in (("../../site.sh", ["STEAD-L027"]), ("own.sh", [])):
        written(
            tmp_path,
            stead="include: [{project: acme, from: tenants/acme}]",
            tenants__acme__app=f"vars: {{a: {{file: {file}}}}}",
        )
        (tmp_path / "site.sh").write_text("of the site")
        (tmp_path / "tenants" / "acme" / "own.sh").write_text("its own")
        assert codes(tmp_path) == found


def test_each_file_has_its_owner(tmp_path: Path) -> None:
    written(tmp_path, stead="include: {project: acme, from: tenants/acme}", more="projects: {blue: {}}")
    written(tmp_path, tenants__acme__a="include: {a: {part: parts/b.yml}}", tenants__acme__parts__b="")
    desired, found = read(tmp_path)
    assert found == []
    files = {"more.yml": "", "stead.yml": "", "tenants/acme/a.yml": "acme", "tenants/acme/parts/b.yml": "acme"}
    assert desired.files == {str(tmp_path / name): project for name, project in files.items()}


def test_the_site_gives_a_project_file_its_variables(tmp_path: Path) -> None:
    site = "vars: {size: 2GiB, hidden: x}\ninclude: {project: acme, from: t, vars: {size: '{{ vars.size }}'}}"
    written(tmp_path, stead=site, t__a="vars: {size: {type: size}}\nvolumes: {v: {size: '{{ vars.size }}'}}")
    desired, found = read(tmp_path)
    assert found == []
    assert next(desired.of_kind("volumes")).model.size == 2 << 30


def sealed(text: str, password: str, name: str) -> str:
    lines = VaultLib([(name, VaultSecret(password.encode()))]).encrypt(text, vault_id=name).decode()
    indented = "".join(f"        {line}\n" for line in lines.splitlines())
    head = f"instances:\n  a:\n    flavor: {FLAVOR}\n    boot_volume: v\n    cloud_init:\n      user_data: !vault |\n"
    return head + indented


PASSWORDS = (Password(Secret("one"), "acme"), Password(Secret("two"), "blue"), Password(Secret("three")))


@pytest.mark.parametrize(("password", "name"), [("two", "blue"), ("two", "acme"), ("three", "acme")])
def test_a_copied_vaulted_text_opens_for_nobody_else(password: str, name: str, tmp_path: Path) -> None:
    """Whatever vault id the text says that it has: that is not signed."""
    site = "include: {project: acme, from: t}\ngrants: {acme: {vault_ids: [acme]}}"
    written(tmp_path, stead=site, t__a="volumes: {v: {size: 1GiB}}", t__b=sealed("secret", password, name))
    assert codes(tmp_path, *PASSWORDS) == ["STEAD-L041"]


def test_a_vaulted_text_opens_with_the_password_that_the_project_is_granted(tmp_path: Path) -> None:
    site = "include: {project: acme, from: t}\ngrants: {acme: {vault_ids: [acme]}}"
    written(tmp_path, stead=site, t__a="volumes: {v: {size: 1GiB, from: {image: i}}}", t__b=sealed("x", "one", "acme"))
    written(tmp_path, more="images: {i: {source: /i.qcow2}}")
    desired, found = read(tmp_path, *PASSWORDS)
    assert found == []
    assert next(desired.of_kind("instances")).model.cloud_init.user_data.reveal() == "x"
    (tmp_path / "stead.yml").write_text("stead: 1\ninclude: {project: acme, from: t}\n")
    assert codes(tmp_path, *PASSWORDS) == ["STEAD-L040"]  # no grant, no secret


@pytest.mark.parametrize(
    ("source", "declared", "inside"),
    [
        ("/srv/images/a.qcow2", "/srv/images", True),
        ("/srv/images//a/b.qcow2", "/srv/images/", True),
        ("/srv/images", "/srv/images", False),
        ("/srv/images-of-others/a", "/srv/images", False),
        ("/srv/images/../a", "/srv/images", False),
        ("/srv/images/./a", "/srv/images", False),
        ("https://a.example/i/x", "https://a.example/i/", True),
        ("https://A.example:443/i/x", "https://a.example/i/", True),
        ("https://a.example:8443/i/x", "https://a.example/i/", False),
        ("http://a.example/i/x", "https://a.example/i/", False),
        ("https://a.example.evil.example/i/x", "https://a.example/i/", False),
        ("https://a.example@evil.example/i/x", "https://a.example/i/", False),
        ("https://a.example/i/%2e%2e/x", "https://a.example/i/", False),
        ("https://a.example/i/../x", "https://a.example/i/", False),
        ("https://a.example/i\\..\\x", "https://a.example/i/", False),
        ("https://a.example/i/x?u=/y", "https://a.example/i/", False),
        ("file:///srv/images/x", "/srv/images", False),
        ("/srv/images/a\n/etc/shadow", "/srv/images", False),
    ],
)
def test_a_source_is_below_what_the_site_declares(source: str, declared: str, inside: bool) -> None:
    assert within(source, declared) is inside


def test_what_is_no_project_file_needs_no_grant(tmp_path: Path) -> None:
    """The same words in the site's files plan as ever."""
    text = f"""
projects:
  acme:
    volumes: {{v: {{size: 1GiB, pool: fast, host: a, hooks: [{{playbook: x.yml}}]}}}}
    networks: {{app: {{type: flat, physical: p}}}}
    instances: {{wpad: {{flavor: {FLAVOR}, boot_volume: v, host: a}}}}
    forget: [volumes/x]
"""
    written(tmp_path, stead=text + "images: {i: {source: /etc/x}}")
    desired, found = read(tmp_path)
    assert [one.code for one in found if one.code.startswith("STEAD-G")] == []
    assert not any(block.project_file for block in desired.blocks)


def test_a_reach_names_a_grant_that_there_is() -> None:
    """A misspelt one would be a traceback for who asks for it."""
    from stead.language.spec.grants import Grants

    said = Path(__file__).parents[3] / "src/stead"
    import re

    named = {
        name for path in said.rglob("*.py") for name in re.findall(r'(?:Granted|Reach)\("(\w+)"', path.read_text())
    }
    assert named <= set(fields_of(Grants))
    assert {"hosts", "addresses", "hooks", "forget"} <= named
