"""Names whatever piece of a kind is missing, so that nobody needs a checklist to add one."""

from __future__ import annotations

import ast
import dataclasses
import re
import subprocess
import sys
import typing
from collections.abc import Iterator, Mapping
from importlib import import_module
from pathlib import Path
from typing import Annotated, Any, get_args, get_origin

import pytest

import stead.kinds
from ansible_collections.stead.cloud.plugins.module_utils.host.base.kind import HostKind
from ansible_collections.stead.cloud.plugins.module_utils.host.kinds.table import KINDS
from stead.core.diagnostics import Code
from stead.core.kind import Kind
from stead.kinds import kinds
from stead.kinds.shared.record_only import recorded_only

COLLECTION = "ansible_collections.stead.cloud.plugins.module_utils"
ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src/stead/kinds"
WIRE = ROOT / "collections/ansible_collections/stead/cloud/plugins/module_utils/wire"
CASES = ROOT / "tests/cases"
PACKAGES = sorted({path.parent.name for path in SOURCE.glob("*/__init__.py")} - {stead.kinds.SHARED})
# What a kind may use beside itself and what kinds share: values and words, no stage and no effect.
WORDS = "address by_hand diagnostics driver effect fields kind metered named needs observed task value want wiring"
VALUES = {*(f"core.{name}" for name in WORDS.split()), "language.desired", "site.abilities"}


@pytest.mark.parametrize("name", PACKAGES)
def test_a_package_is_a_kind_under_its_own_name(name: str) -> None:
    kind = import_module(f"stead.kinds.{name}").KIND
    assert isinstance(kind, Kind)
    assert kind.name == name
    assert kinds()[kind.plural] is kind


@pytest.mark.parametrize("name", PACKAGES)
def test_a_kind_has_all_its_pieces(name: str) -> None:
    kind = import_module(f"stead.kinds.{name}").KIND
    missing = [
        str(path.relative_to(ROOT))
        for path in (SOURCE / name / "model.py", WIRE / f"{name}.py", CASES / name / "diff.yml")
        if not path.is_file()
    ]
    assert not missing
    assert kind.help.endswith(".")
    assert len(kind.help) <= 120


@pytest.mark.parametrize("name", PACKAGES)
def test_what_hosts_have_of_a_kind_has_code_on_hosts(name: str) -> None:
    """A file `host/kinds/<name>.py`, whose `KIND` is in the table; and a form of its wants beside the comparison."""
    kind = import_module(f"stead.kinds.{name}").KIND
    if kind.realise is recorded_only:
        assert kind.plural not in KINDS
        return
    code = import_module(f"{COLLECTION}.host.kinds.{name}")
    assert KINDS[kind.plural] is code.KIND
    assert isinstance(code.KIND, HostKind)
    form = "".join(word.title() for word in name.split("_")) + "Want"
    assert typing.is_typeddict(getattr(import_module(f"{COLLECTION}.wire.{name}"), form))


def test_hosts_know_no_kind_that_the_planner_does_not_know() -> None:
    assert set(KINDS) <= set(kinds())


def _models(model: Any) -> Iterator[type[Any]]:
    """A model and every record inside it."""
    yield model
    for hint in typing.get_type_hints(model, include_extras=True).values():
        yield from (found for part in _parts(hint) if dataclasses.is_dataclass(part) for found in _models(part))


def _parts(hint: Any) -> Iterator[Any]:
    yield hint
    for part in get_args(hint):
        if get_origin(hint) is not Annotated or part is get_args(hint)[0]:
            yield from _parts(part)


@pytest.mark.parametrize("name", PACKAGES)
def test_every_field_is_described(name: str) -> None:
    bare = []
    for model in set(_models(import_module(f"stead.kinds.{name}").KIND.model)):
        hints = typing.get_type_hints(model, include_extras=True)
        for field in dataclasses.fields(model):
            notes = hints[field.name].__metadata__ if get_origin(hints[field.name]) is Annotated else ()
            if not any(isinstance(note, str) and note and not note.endswith(".") for note in notes):
                bare.append(f"{model.__name__}.{field.name}")
    assert not bare, "a description, without a full stop at its end, is missing"


@pytest.mark.parametrize("name", PACKAGES)
def test_models_are_frozen_and_deeply_so(name: str) -> None:
    for model in set(_models(import_module(f"stead.kinds.{name}").KIND.model)):
        assert vars(model)["__setattr__"] is not object.__setattr__, model
        for hint in typing.get_type_hints(model).values():
            assert not {get_origin(part) or part for part in _parts(hint)} & {list, dict, set}, model


@pytest.mark.parametrize("name", PACKAGES)
def test_what_a_kind_names_of_its_model_is_there(name: str) -> None:
    kind = import_module(f"stead.kinds.{name}").KIND
    fields = {field.name.rstrip("_") for field in dataclasses.fields(kind.model)} | {""}
    assert {one.rstrip("_") for one in kind.identity} <= fields
    assert set(kind.field_map.values()) <= fields


def _imports(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


@pytest.mark.parametrize("path", sorted(SOURCE.rglob("*.py")), ids=lambda path: str(path.relative_to(SOURCE)))
def test_kinds_know_values_and_no_other_kind(path: Path) -> None:
    own = path.relative_to(SOURCE).parts[0]
    for name in _imports(path):
        words = name.split(".")
        if words[0] != "stead":
            continue
        found = ".".join(words[1:3])  # the first file finds the kinds
        assert (
            words[1] in ("kinds", "drivers") or found in VALUES or (own, found) == ("__init__.py", "core.entry_points")
        ), name
        others = set(PACKAGES) - {own}
        assert not (words[1] == "kinds" and len(words) > 2 and words[2] in others), name


@pytest.mark.parametrize("path", sorted(WIRE.glob("*.py")), ids=lambda path: path.name)
def test_wire_modules_need_only_the_standard_library(path: Path) -> None:
    assert all(name.split(".")[0] in sys.stdlib_module_names for name in _imports(path))
    tree = ast.parse(path.read_text(), feature_version=(3, 9))
    assert not any(isinstance(node, ast.Match) for node in ast.walk(tree))


def _codes() -> Iterator[tuple[str, Code]]:
    for path in sorted(SOURCE.rglob("*rules.py")):
        module = import_module("stead.kinds." + ".".join(path.relative_to(SOURCE).with_suffix("").parts))
        yield from ((path.name, value) for value in vars(module).values() if isinstance(value, Code))


def test_codes_are_unique_and_of_their_family() -> None:
    by_id: Mapping[str, set[Code]] = {}
    for _, code in _codes():
        assert re.fullmatch(r"STEAD-[GNIVMQ][0-9]{3}", code.id)
        by_id = {**by_id, code.id: {*by_id.get(code.id, ()), code}}
    assert all(len(codes) == 1 for codes in by_id.values())


def test_every_rule_has_a_case() -> None:
    shown = "\n".join(path.read_text() for path in CASES.glob("*/*.yml"))
    assert not sorted({code.id for _, code in _codes() if code.id not in shown})


def test_finding_the_kinds_imports_nothing_heavy() -> None:
    program = "import sys, stead.kinds; stead.kinds.kinds(); print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout.split()
    heavy = {"importlib.metadata", "jinja2", "yaml", "ruamel", "numpy", "rich", "ansible", "pkgutil", "email"}
    assert not heavy & set(loaded)


def test_modules_beside_the_packages_are_no_kinds() -> None:
    assert not any(hasattr(import_module(f"stead.kinds.{path.stem}"), "KIND") for path in SOURCE.glob("[a-z]*.py"))
    assert stead.kinds.GROUP == "stead.kinds"


# What knows a kind by its name outside its package, and why it may.
KNOWN = {
    # A project is a part of the language: the first word of an address, a folder of the document, a wall of trust.
    "projects": (
        "blueprint/choices.py",
        "cli/common/completions.py",
        "cli/common/selection.py",
        "language/",
        "plan/graph.py",
    ),
    # The inventory is one of instances: it tells of each its flavor and its floating IP.
    "flavors": ("cli/commands/capacity.py", "site/members.py"),  # how many more of each flavor there is room for
    "floating_ips": ("site/members.py",),
}


def _named_outside(plural: str) -> Iterator[str]:
    """Files that ask whether something is of the kind, or for all of it."""
    asked = re.compile(rf"""(kind\s*[!=]=\s*|of_kind\(|Address\([^()]*,\s*|kinds(?:\(\))?\[)["']{plural}["']""")
    for path in sorted((ROOT / "src/stead").rglob("*.py")):
        inside = str(path.relative_to(ROOT / "src/stead"))
        if not inside.startswith(("kinds/", "serve/", "heat/", "drivers/")) and asked.search(path.read_text()):
            yield inside


@pytest.mark.parametrize("plural", sorted(kinds()))
def test_nobody_asks_for_a_kind_by_its_name(plural: str) -> None:
    """`serve` speaks OpenStack's API, which has a service for each kind; `heat` reads its templates."""
    assert [path for path in _named_outside(plural) if not path.startswith(KNOWN.get(plural, ("none",)))] == []
