"""Throws mutated specs at the language: whatever comes, it answers with diagnostics and never with a traceback.

python bench/fuzz.py [--rounds 20000] [--seed 1]
"""

from __future__ import annotations

import argparse
import random
import sys
import time
from collections import Counter
from pathlib import Path

from stead.desired import resolve
from stead.diagnostics import Diagnostic
from stead.document import read
from stead.spec import load

SEEDS = sorted((Path(__file__).parent.parent / "examples").glob("*/stead.yml"))
WORDS = (
    "{{ vars.x }}", "{{", "}}", "[", "]", "{", "}", ":", "- ", "*a", "&a ", "!vault ", "null", "true", "0", "-1",
    "99999999999999999999", "1e999", "10.0.0.0/8", "::/0", "é", "\u2028", "\t", "\x00", "'", '"', "|", ">", "#",
    "count: 3",
    "for_each: [a, b]", "<<: *a", "stead: 1", "instances:", "networks: [app]", "web[0]", "{% for i in range(9) %}",
    "~", ".inf",
    "\ud800", "---", "include: {a: {part: stead.yml}}", "depends_on: [instances/web]",
)  # fmt: skip


def mutated(text: str, dice: random.Random) -> str:
    """A few random edits: characters, words, lines; swapped, dropped, doubled."""
    for _ in range(dice.randint(1, 4)):
        lines = text.splitlines(keepends=True) or [""]
        at, position = dice.randrange(len(lines)), dice.randint(0, len(text))
        match dice.randrange(7):
            case 0:
                text = text[:position] + dice.choice(WORDS) + text[position:]
            case 1:
                text = text[:position] + text[position + dice.randint(1, 12) :]
            case 2:
                del lines[at]
                text = "".join(lines)
            case 3:
                lines.insert(dice.randrange(len(lines) + 1), lines[at])
                text = "".join(lines)
            case 4:
                other = dice.randrange(len(lines))
                lines[at], lines[other] = lines[other], lines[at]
                text = "".join(lines)
            case 5:
                head, colon, _ = lines[at].partition(":")
                lines[at] = f"{head}{colon} {dice.choice(WORDS)}\n"
                text = "".join(lines)
            case _:
                text = text[:position] + chr(dice.randint(1, 0x2FF)) + text[position + 1 :]
    return text


def answer(text: str, folder: Path) -> list[Diagnostic]:
    path = folder / "stead.yml"
    path.write_bytes(text.encode("utf-8", "surrogatepass"))
    _, found = read(path.read_bytes(), "stead.yml")
    spec, more = load([path], root=folder)
    _, last = resolve(spec, key=b"key")
    return [*found, *more, *last]


def fuzz(rounds: int, seed: int, folder: Path, seeds: list[str]) -> Counter[str]:
    dice = random.Random(seed)
    seen: Counter[str] = Counter()
    for number in range(rounds):
        text = mutated(dice.choice(seeds), dice)
        try:
            found = answer(text, folder)
        except Exception:
            kept = folder / f"crash-{number}.yml"
            kept.write_bytes(text.encode("utf-8", "surrogatepass"))
            print(f"round {number}: the spec is kept in {kept}", file=sys.stderr)
            raise
        seen.update({one.code for one in found} or {"none"})
    return seen


def main() -> None:
    import tempfile

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    started = time.perf_counter()
    folder = Path(tempfile.mkdtemp(prefix="stead-fuzz-"))
    seen = fuzz(options.rounds, options.seed, folder, [path.read_text() for path in SEEDS])
    print(f"{options.rounds:,} mutated specs in {time.perf_counter() - started:.0f} s, no traceback")
    for code, count in sorted(seen.items()):
        print(f"  {code:<12} {count:>7,}")


if __name__ == "__main__":
    main()
