"""Reads YAML inventories, with group_vars/ and host_vars/ beside them, into a tree.

Why not leave it to Ansible: `ansible-inventory` takes half a second for three hosts and minutes for ten thousand. What
this does not read it says so (`NotOurs`), and Ansible is asked.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import Any, cast

import yaml

from stead.core.diagnostics import Diagnostic, Place
from stead.site.inventory.codes import UNREADABLE
from stead.site.inventory.ranges import MOST, BadRange, expand
from stead.site.inventory.tree import ALL, UNGROUPED, Tree, Variables

SUFFIXES = frozenset({".yml", ".yaml", ".json"})
# What Ansible passes over in a directory of inventories.
IGNORED = (".pyc", ".pyo", ".swp", ".bak", "~", ".rpm", ".md", ".txt", ".rst", ".orig", ".cfg", ".retry")
BESIDE = ("group_vars", "host_vars")
_GROUP_KEYS = frozenset({"hosts", "vars", "children"})
_VAULT = "$ANSIBLE_VAULT;"
MOST_FILES = 1000  # in a directory of inventories; a whole disk or a home, beyond
DEEPEST = 1000  # levels; groups in groups in groups have ten
# By PyYAML, of the 99th of a month, an endless number, `!!bool maybe`, `!!timestamp 1`, a thousand brackets.
_RAISED = (ValueError, LookupError, AttributeError, TypeError, RecursionError)
_BRACKET = re.compile(r"[][{}]")
_DEEP = re.compile(rf"^(?: {{{DEEPEST},}}|(?:[-?] +){{{DEEPEST // 2},}})[^ ]", re.MULTILINE)


class NotOurs(Exception):  # noqa: N818 - no fault: Ansible reads it instead
    """A source that only Ansible can read."""


class Wrong(Exception):  # noqa: N818 - carries a diagnostic
    def __init__(self, detail: str, place: Place | None) -> None:
        super().__init__(detail)
        self.diagnostic: Diagnostic = UNREADABLE.at(place, detail)


class Vaulted:
    """An encrypted value. Ansible opens it on the way to the host; of Stead, only who fences a host does."""

    def __init__(self, text: str) -> None:
        self.text = text


class _Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]  # libyaml where there is one
    pass


def _scalar(loader: Any, node: Any) -> Any:
    """`!unsafe`: the value as it is."""
    return loader.construct_scalar(node) if isinstance(node, yaml.ScalarNode) else loader.construct_object(node)


_Loader.add_constructor("!unsafe", _scalar)
for _tag in ("!vault", "!vault-encrypted"):
    _Loader.add_constructor(_tag, lambda _loader, node: Vaulted(str(node.value)))


def read_into(tree: Tree, source: Path) -> list[Path]:
    """Adds a file, or all of a directory. Returns what was read."""
    files = list(islice(_files(source), MOST_FILES + 1))
    if len(files) > MOST_FILES:
        much = f"{source} has more than {MOST_FILES:,} files"
        raise Wrong(
            f"{much}: no inventory, but a place with much else in it. Name the file, or its own directory.", None
        )
    for file in files:
        _add_file(tree, file)
    folders = dict.fromkeys([source] if source.is_dir() else [source.parent])
    return [*files, *(one for folder in folders for one in _add_beside(tree, folder))]


def _files(source: Path) -> Iterator[Path]:
    if not source.is_dir():
        yield source
        return
    try:
        below = sorted(source.iterdir())
    except OSError as error:
        raise Wrong(f"{source}: {error.strerror}.", None) from None
    for path in below:
        if path.name.startswith(".") or path.name in BESIDE or path.name.endswith(IGNORED):
            continue
        yield from _files(path)


def _add_file(tree: Tree, path: Path) -> None:
    if path.is_char_device() or path.is_block_device():  # it might never end
        raise Wrong(f"{path} is a device and no inventory.", None)
    if path.suffix not in SUFFIXES or os.access(path, os.X_OK):
        raise NotOurs
    content = load(path)
    if content is None:
        return
    if not isinstance(content, Mapping) or "plugin" in content:
        raise NotOurs
    try:
        for name, body in content.items():
            _add_group(tree, path, str(name), body)
    except RecursionError:
        raise Wrong(f"{path}: groups are nested too deep, or an alias puts one into itself.", None) from None


def load(path: Path) -> Any:
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise Wrong(f"{path} is not UTF-8: {error.reason} at byte {error.start}.", None) from None
    except OSError as error:
        raise Wrong(f"{path}: {error.strerror}.", None) from None
    if text.startswith(_VAULT):
        raise NotOurs
    if _DEEP.search(text) or _nested(text) > DEEPEST:  # before the parser, which has no bottom but the stack's
        raise Wrong(f"{path}: It is nested too deep.", None)
    try:
        return yaml.load(text, _Loader)  # noqa: S506 - a safe loader with three more scalars
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        place = Place(str(path), mark.line + 1, mark.column + 1) if mark else None
        said = getattr(error, "problem", None) or str(error)
        raise Wrong(f"It is not YAML: {said}.", place) from None
    except _RAISED as error:
        why = "It is nested too deep." if isinstance(error, RecursionError) else f"A value cannot be read: {error}."
        raise Wrong(f"{path}: {why}", None) from None


def _nested(text: str) -> int:
    """How many brackets are open at once, at most. More than that are not worth telling strings from others."""
    deepest = depth = 0
    for bracket in _BRACKET.findall(text) if text.count("[") + text.count("{") > DEEPEST else ():
        depth = max(0, depth + (1 if bracket in "[{" else -1))
        deepest = max(deepest, depth)
    return deepest


def _add_group(tree: Tree, path: Path, name: str, body: Any) -> None:
    group = tree.group(name)
    content = _mapping(path, f"group {name}", body)
    if unknown := [key for key in content if key not in _GROUP_KEYS]:
        raise Wrong(f"{path}: group {name} has {unknown[0]!r}; a group has hosts, vars and children.", None)
    group.variables.update(_mapping(path, f"vars of {name}", content.get("vars")))
    for pattern, variables in _mapping(path, f"hosts of {name}", content.get("hosts")).items():
        own = _mapping(path, f"host {pattern}", variables)
        try:
            for number, host in enumerate(expand(str(pattern))):
                if number >= MOST:
                    raise Wrong(f"{path}: {pattern} names more than {MOST:,} hosts. Is a digit too many in it?", None)
                tree.add_host(host, name, own)
        except BadRange as error:
            raise Wrong(f"{path}: the range {error} of {pattern} has no hosts.", None) from None
    for child, inner in _mapping(path, f"children of {name}", content.get("children")).items():
        if name != ALL and child not in group.children:
            group.children.append(str(child))
        _add_group(tree, path, str(child), inner)


def _mapping(path: Path, what: str, value: Any) -> Mapping[str, Any]:
    if value is None:
        return {}
    if isinstance(value, str):  # `hosts: web-1`: Ansible takes it too
        return {value: None}
    if not isinstance(value, Mapping):
        raise Wrong(f"{path}: {what} is a {type(value).__name__} and should be a mapping (`name:`).", None)
    return cast("Mapping[str, Any]", value)


def _add_beside(tree: Tree, folder: Path) -> Iterator[Path]:
    for file, name in _variable_files(folder / "group_vars"):
        if name in tree.groups or name == UNGROUPED:
            tree.group(name).beside.update(_variables(file))
            yield file
    for file, name in _variable_files(folder / "host_vars"):
        entry = tree.hosts.get(name)
        if entry is not None:
            entry.beside.update(_variables(file))
            yield file


def _variable_files(folder: Path) -> Iterator[tuple[Path, str]]:
    """Files by the name of their group or host; a directory of that name holds several."""
    if not folder.is_dir():
        return
    for path in sorted(folder.iterdir()):
        if path.name.startswith(".") or path.name.endswith("~"):
            continue
        if path.is_dir():
            yield from ((one, path.name) for one in sorted(path.rglob("*")) if one.is_file() and one.name[0] != ".")
        elif path.suffix in SUFFIXES:
            yield path, path.stem
        else:
            yield path, path.name  # `host_vars/node-1.example.com` has no suffix of ours


def _variables(path: Path) -> Variables:
    return dict(_mapping(path, "the file", load(path)))
