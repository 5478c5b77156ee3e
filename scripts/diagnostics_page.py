"""Makes docs/diagnostics.md: every code, what it means, and the words in which it is told, as the source has them."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parent.parent
SOURCES = (ROOT / "src" / "stead", ROOT / "collections/ansible_collections/stead/cloud/plugins")
FAMILIES = {
    "A": "Apply",
    "B": "Lab",
    "C": "Command line",
    "D": "Documents: YAML itself",
    "E": "On hosts: what a step or a module could not do",
    "G": "Project files and grants",
    "H": "Hosts and inventory",
    "I": "Instances, flavors, keypairs",
    "K": "Templates of OpenStack's Heat",
    "L": "Language: fields, variables, expressions, files",
    "M": "Images",
    "N": "Networks, routers, floating IPs, security groups",
    "P": "Placement",
    "Q": "Projects, users and quotas",
    "R": "References and leases",
    "S": "Store",
    "T": "Tests of a spec",
    "U": "Usage",
    "V": "Volumes and snapshots",
    "W": "Requests to the API",
    "X": "Plan",
}
HEAD = """# Diagnostics

This page lists every diagnostic of Stead, by its code. A code never changes its meaning. A message says what is wrong,
why, and how to correct it, with file, line and column if they are known. `<…>` stands for a value in the message.

Generated from the source by `scripts/generate`; do not edit.
"""
# What makes a failure of a code and a text: of the planner, and of hosts.
TELLING = frozenset({"refuse", "_refuse", "Failed", "Broke", "Unwritable"})


class Known(NamedTuple):
    summary: str
    is_warning: bool
    texts: tuple[str, ...]


def page() -> str:
    known = codes()
    lines = [HEAD]
    for letter in sorted({code[6] for code in known}):
        lines.append(f"## {FAMILIES.get(letter, letter)}\n")
        for code in sorted(one for one in known if one[6] == letter):
            found = known[code]
            lines.append(f"### {code}: {found.summary}{' (a warning)' if found.is_warning else ''}\n")
            lines += [f"- {text}" for text in found.texts]
            lines += [""] if found.texts else []
    return "\n".join(lines).rstrip() + "\n"


def codes() -> Mapping[str, Known]:
    trees = [ast.parse(path.read_text()) for source in SOURCES for path in sorted(source.rglob("*.py"))]
    named, found = dict[str, set[str]](), dict[str, Known]()
    for tree in trees:
        for name, code, summary, is_warning in _declared(tree):
            named.setdefault(name, set()).add(code)
            found[code] = Known(summary, is_warning, ())
    for tree in trees:
        own = {name: code for name, code, *_ in _declared(tree)}
        for name, text in _told(tree):
            at = own.get(name) or (next(iter(named[name])) if len(named.get(name, ())) == 1 else None)
            if at in found and text not in found[at].texts:
                found[at] = found[at]._replace(texts=(*found[at].texts, text))
    return found


def _declared(tree: ast.Module) -> Iterator[tuple[str, str, str, bool]]:
    for node in tree.body:
        match node:
            case ast.Assign(
                targets=[ast.Name(id=name)], value=ast.Call(func=ast.Name(id="Code" | "FailureCode"), args=args)
            ):
                code, summary, *more = args
                if isinstance(code, ast.Constant) and isinstance(summary, ast.Constant):
                    yield name, str(code.value), str(summary.value), "WARNING" in "".join(map(ast.unparse, more))


def _told(tree: ast.Module) -> Iterator[tuple[str, str]]:
    """(name of a code, text) of each `CODE.at(place, text)` and `refuse(CODE, text)` with a text in the source."""
    for function in ast.walk(tree):
        if isinstance(function, ast.FunctionDef):
            assigned = sorted(one for node in ast.walk(function) for one in _assigned(node))
            for name, told in (one for node in ast.walk(function) for one in _raised(node)):
                said = _unformatted(told)
                if isinstance(said, ast.Name):
                    before = [texts for line, variable, texts in assigned if variable == said.id and line < told.lineno]
                    yield from ((name, text) for text in (before[-1] if before else ()))
                else:
                    yield from ((name, text) for text in _texts(said))


def _assigned(node: ast.AST) -> Iterator[tuple[int, str, tuple[str, ...]]]:
    """A variable may hold one text after another: which one is told, the line says."""
    match node:
        case ast.Assign(targets=[ast.Name(id=name)], value=value):
            yield node.lineno, name, _texts(_unformatted(value))


def _texts(node: ast.expr) -> tuple[str, ...]:
    match node:
        case ast.IfExp(body=one, orelse=other):
            return (*_texts(one), *_texts(other))
        case _:
            text = _text(node)
            return (text,) if text else ()


def _raised(node: ast.AST) -> Iterator[tuple[str, ast.expr]]:
    match node:
        case ast.Call(func=ast.Attribute(value=ast.Name(id=name), attr="at"), args=[_, said, *_]):
            yield name, said
        case ast.Call(func=ast.Name(id=function), args=[code, said, *_]) if function in TELLING:
            yield ast.unparse(code).rpartition(".")[2], said


def _unformatted(node: ast.expr) -> ast.expr:
    match node:
        case ast.Call(func=ast.Attribute(value=text, attr="format")):
            return text
        case _:
            return node


def _text(node: ast.AST) -> str:
    match node:
        case ast.Constant(value=str(text)):
            return _whole(re.sub(r"\{\d[^}]*\}", "<…>", text))
        case ast.JoinedStr(values=values):
            parts = [str(one.value) if isinstance(one, ast.Constant) else f"<{_named(one)}>" for one in values]
            return _whole("".join(parts))
        case _:
            return ""


def _named(node: ast.AST) -> str:
    """What a placeholder is, in a word: its last name."""
    words = re.findall(r"[A-Za-z_]{2,}", ast.unparse(getattr(node, "value", node)))
    return words[-1].strip("_").replace("_", " ") if words else "…"


def _whole(text: str) -> str:
    """In one line. What is no text of a message, but one of its parts, is left out."""
    line = " ".join(text.split())
    return line if " " in line else ""


if __name__ == "__main__":
    (ROOT / "docs" / "diagnostics.md").write_text(page())
