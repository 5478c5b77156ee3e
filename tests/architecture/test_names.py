"""A class name means one thing: a reader who searches for it finds one class."""

from __future__ import annotations

import ast
from collections import defaultdict
from pathlib import Path

REPOSITORY = Path(__file__).parents[2]
# Ansible finds these by their name, one in each plugin file.
ANSIBLE = {"ActionModule", "CallbackModule", "InventoryModule", "LookupModule", "ModuleDocFragment"}


def test_no_two_classes_have_one_name() -> None:
    places: dict[str, list[str]] = defaultdict(list)
    for root in ("src/stead", "collections"):
        for path in sorted((REPOSITORY / root).rglob("*.py")):
            if "tests" in path.relative_to(REPOSITORY).parts:
                continue
            for node in ast.walk(ast.parse(path.read_text())):
                if isinstance(node, ast.ClassDef) and node.name not in ANSIBLE:
                    places[node.name].append(f"{path.relative_to(REPOSITORY)}:{node.lineno}")
    twice = {name: found for name, found in places.items() if len(found) > 1}
    assert twice == {}
