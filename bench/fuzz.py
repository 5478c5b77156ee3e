"""Throws mutated files at Stead: whatever comes, it answers with diagnostics and never with a traceback.

python bench/fuzz.py [--target specs|project-files|inventories|tests|variables|plans] [--rounds 20000] [--seed 1]

`--project-files` is short for `--target project-files`: each file is planned as that of a project's people, on a site
that grants them nothing and on one that grants nearly all, and a step outside of the project is as bad as a traceback.
"""

from __future__ import annotations

import argparse
import random
import shutil
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

import yaml

import fuzzed_files
import walls
from fuzzed_files import Target, edited_yaml
from mutations import SPEC, Words
from stead.kinds import kinds
from stead.language.desired import resolve
from stead.language.spec import load

ROOT = Path(__file__).parent.parent
LANGUAGE = ROOT / "tests" / "unit" / "language"
# Specs that use everything there is, so that a mutation can reach every field and every rule.
WHOLE = (LANGUAGE / "everything.yml", LANGUAGE / "parts" / "web.yml", ROOT / "tests/unit/kinds/everything.yml")


def specs(folder: Path) -> list[str]:
    """Whole specs, half of all; and every one of the cases: each of those stands next to a mistake already."""
    shutil.copytree(LANGUAGE / "parts", folder / "parts", dirs_exist_ok=True)
    shutil.copy(LANGUAGE / "everything.yml", folder)
    found = [path.read_text() for path in sorted((ROOT / "examples").glob("*/stead.yml"))]
    for path in sorted((ROOT / "tests" / "cases").glob("*/spec*.yml")):
        document = yaml.safe_load(path.read_text())
        found += [document.get("base", "") + case["spec"] for case in document["cases"]]
    return [*found, *[path.read_text() for path in WHOLE] * (len(found) // len(WHOLE))]


def resolved(path: Path) -> Iterable[str]:
    spec, found = load([path], kinds(), root=path.parent)
    _, more = resolve(spec, key=b"key")
    return [one.code for one in [*found, *more]]


_WALLS: dict[Path, list[walls.Walls]] = {}


def project_files(folder: Path) -> list[str]:
    """One of a site that grants nothing, and of one that grants nearly all: neither may reach what is another's."""
    _WALLS[folder] = [walls.Walls(folder / name, granted=name == "granted") for name in ("walled", "granted")]
    return [walls.ACME]


def planned_within_walls(path: Path) -> Iterable[str]:
    return [code for one in _WALLS[path.parent] for code in one.answer(path)]


def tried_or_mutated(text: str, dice: random.Random, words: Words) -> str:
    return walls.tried(text, dice) if dice.random() < 0.9 else edited_yaml(text, dice, words)


OF_PROJECTS = Words((*walls.HOSTILE * 3, *SPEC.values), (*walls.ENTRIES * 3, *SPEC.entries))
TARGETS = {
    "specs": Target(specs, resolved),
    "project-files": Target(project_files, planned_within_walls, "project.yml", OF_PROJECTS, tried_or_mutated),
    **fuzzed_files.TARGETS,
}


def fuzz(target: Target, rounds: int, seed: int, folder: Path) -> Counter[str]:
    """How often each code came. A traceback ends it, with the file kept."""
    dice = random.Random(seed)
    texts, seen = target.seeds(folder), Counter[str]()
    path = folder / target.name
    for number in range(rounds):
        content = target.edited(dice.choice(texts), dice, target.words).encode("utf-8", "surrogatepass")
        path.write_bytes(content)
        started = time.perf_counter()
        try:
            codes = target.answer(path)
        except BaseException:
            kept = folder / f"crash-{number}-{target.name}"
            kept.write_bytes(content)
            print(f"round {number}: the file is kept in {kept}", file=sys.stderr)
            raise
        seen["slower than 1 s"] += time.perf_counter() - started > 1
        seen.update(set(codes) or {"nothing wrong"})
    return seen


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--target", choices=TARGETS, default="specs")
    parser.add_argument("--project-files", action="store_const", const="project-files", dest="target")
    parser.add_argument("--rounds", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    started = time.perf_counter()
    folder = Path(tempfile.mkdtemp(prefix="stead-fuzz-"))
    seen = fuzz(TARGETS[options.target], options.rounds, options.seed, folder)
    print(f"{options.rounds:,} mutated {options.target} in {time.perf_counter() - started:.0f} s, no traceback")
    for code, count in sorted(seen.items()):
        print(f"  {code:<16} {count:>7,}")


if __name__ == "__main__":
    main()
