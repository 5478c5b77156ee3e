"""Throws mutated specs at the language: whatever comes, it answers with diagnostics and never with a traceback.

python bench/fuzz.py [--rounds 20000] [--seed 1]
"""

from __future__ import annotations

import argparse
import random
import re
import shutil
import sys
import time
from collections import Counter
from pathlib import Path

import yaml

from stead.desired import resolve
from stead.diagnostics import Diagnostic
from stead.spec import load

ROOT = Path(__file__).parent.parent
LANGUAGE = ROOT / "tests" / "unit" / "language"
# Specs that use everything there is, so that a mutation can reach every field and every rule.
WHOLE = (LANGUAGE / "everything.yml", LANGUAGE / "parts" / "web.yml", ROOT / "tests/unit/kinds/everything.yml")
VALUES = (
    "{{ vars.x }}", "{{ vars.token }}", "{{ instances.web.address }}", "{{ instances.nobody }}", "{{ each.value }}",
    "{{ index }}", "{{ this.host }}", "{{ project }}", "{{ [[1, 2], {'a': none}] }}", "{{ 10 ** 99 ** 9 }}",
    "{{ 9 ** 999 }}", "{{ range(99999) | list }}", "{{ 'a' * 9999999 }}", "{{ '%9999999999d' % 1 }}", "{{ 1 / 0 }}",
    "{{ vars.__class__ }}", "{{ lipsum() }}", "{{ (((((((((1))))))))) }}", "{{ vars }}", "{{ none }}", "{{ 1.5 }}",
    "{{ {'a': 1} }}", "{{", "}}", "{% for i in range(9) %}{{ i }}{% endfor %}", "{% if %}", "{# #}", "[]", "{}", "''",
    "null", "~", "true", "no", "0", "-1", "1.5", ".inf", ".nan", "1e999", "99999999999999999999", "0o17", "0x1F", "²",
    "٣", "web[²]", "web[0]", "web[one]", "web", "nobody", "10.0.0.0/8", "10.0.0.1", "::/0", "fe80::1%eth0",
    "1.2.3.4-1.2.3.9",
    "0GiB", "1GiB", "999999999999999TiB", "1.5GiB", f"{'9' * 400}GiB", "5m", f"{'9' * 400}d", "22", "1-65535",
    "0-0", "²-³",
    "52:54:00:12:34:56", "!vault abc", "!x y", "*small", "&b c", "[web]", "[[web]]", "{a: 1}", "{a: {b: [c]}}",
    "é", "[app, app]",
    "instances/web", "acme/instances/web", "/", "..", "!!str 1", "'\\'", '"\\x00"', '"\\ud800"', "-", "|", "> x",
    "'", '"', "#", "{{ '\\ud800' }}", "{{ (1).to_bytes(10 ** 9, 'big') }}", "{{ {(1, 2): 3} }}", "{{ {1: 2, '1': 3} }}",
    "{{ 1e308 * 10 }}", "{{ '1e999' | float | int }}", "{{ vars | attr('__class__') }}", "!!set {a}", "!!binary aGk=",
    "!!python/name:os.system", "!vault [a]", "::ffff:1.2.3.4", "0.0.0.0/0", "::1/128", "10.0.0.0/33", "10.0.0.0/²",
    "fe80::%eth0/64", "70000", "80-22", "instances/web[²]", f"web[{'9' * 5000}]", "'9' * 5000", "10000000000", "\ufeff",
    "\x85", "\u2028", "{? [a] : 1}", "{null: 1, 1.5: 2, true: 3}", "/dev/zero", "../../etc/passwd", "[.nan, .inf]",
    f"[{'[' * 120}{']' * 120}]", f"{'x' * 300}", "2026-01-01", "22:30", "<<: *small", "part: everything.yml",
)  # fmt: skip
ENTRIES = (
    "count: 3", "count: 0", "count: 99999999", "for_each: [a, b]", "for_each: {}", "for_each: {a: [1]}", "<<: *small",
    "stead: 1", "instances: {x: {}}", "networks: [app]", "depends_on: [instances/web]", "protect: yes",
    "labels: {a: b}",
    "hooks: [{}]", "replace_when: {{ vars.token }}", "ignore: memory", "type: ²", "secret: true", "pattern: '['",
    "pattern: '(a+)+$'", "choices: abc", "min: x", "max: .nan", "default: {a: !vault x}",
    "include: {a: {part: everything.yml}}",
    "moved: [{}]", "moved: [{from: a}]", "forget: [1]", "value: 1", "that: 1", "vars: {a: 1}", "? [a]", "'': 1",
    "- a", "x:", "count: 10000000000", "count: .nan", "for_each: [[a]]", "for_each: [null]", "for_each: [²]",
    "replace_when: 1e999", "depends_on: ['instances/web[²]']", "choices: {a: 1}", "pattern: 'a{99999999999}'",
    "min: [1]", "include: {a: {part: .}}", "include: {a: {part: /dev/zero}}",
    "networks: [{network: app, address: ::1}]",
    "labels: {a: .nan}", "cloud_init: {user_data: .nan, network_data: {a: 1e999}}", "size: 1e999", "&b x: *b",
)  # fmt: skip
_TOKEN = re.compile(r"[A-Za-z0-9_./:-]+|\"[^\"]*\"|'[^']*'")


def seeds() -> list[str]:
    """Whole specs, and every one of the cases: each of those stands next to a mistake already."""
    found = [path.read_text() for path in (*WHOLE, *sorted((ROOT / "examples").glob("*/stead.yml")))]
    for path in sorted((ROOT / "tests" / "cases").glob("*/spec*.yml")):
        document = yaml.safe_load(path.read_text())
        found += [document.get("base", "") + case["spec"] for case in document["cases"]]
    return found


def mutated(text: str, dice: random.Random) -> str:
    """A few random edits: values, entries, lines, characters; put in, swapped, dropped, doubled."""
    for _ in range(dice.randint(1, 4)):
        text = _edited(text, dice)
    return text


def _edited(text: str, dice: random.Random) -> str:
    lines = text.splitlines(keepends=True) or [""]
    at, position = dice.randrange(len(lines)), dice.randint(0, len(text))
    match dice.randrange(9):
        case 0 | 1:
            tokens = list(_TOKEN.finditer(text))
            if not tokens:
                return text + dice.choice(VALUES)
            token = dice.choice(tokens)
            return text[: token.start()] + dice.choice(VALUES) + text[token.end() :]
        case 2:
            head, colon, _ = lines[at].partition(":")
            lines[at] = f"{head}{colon} {dice.choice(VALUES)}\n"
        case 3:
            indent = lines[at][: len(lines[at]) - len(lines[at].lstrip(" "))]
            lines.insert(at, f"{indent}{dice.choice(ENTRIES)}\n")
        case 4:
            return text.replace("{", "{" + dice.choice(ENTRIES) + ", ", 1 + dice.randrange(3))
        case 5:
            del lines[at]
        case 6:
            lines.insert(dice.randrange(len(lines) + 1), lines[at])
        case 7:
            other = dice.randrange(len(lines))
            lines[at], lines[other] = lines[other], lines[at]
        case _:
            return text[:position] + chr(dice.randint(1, 0x2FF)) + text[position + dice.randint(0, 9) :]
    return "".join(lines)


def answer(text: str, folder: Path) -> list[Diagnostic]:
    path = folder / "stead.yml"
    path.write_bytes(text.encode("utf-8", "surrogatepass"))
    spec, found = load([path], root=folder)
    _, more = resolve(spec, key=b"key")
    return [*found, *more]


def fuzz(rounds: int, seed: int, folder: Path) -> Counter[str]:
    """How often each code came. A traceback ends it, with the spec kept."""
    dice = random.Random(seed)
    shutil.copytree(LANGUAGE / "parts", folder / "parts", dirs_exist_ok=True)
    shutil.copy(LANGUAGE / "everything.yml", folder)
    texts, seen = seeds(), Counter[str]()
    for number in range(rounds):
        text = mutated(dice.choice(texts[: len(WHOLE)] if dice.random() < 0.5 else texts), dice)
        started = time.perf_counter()
        try:
            found = answer(text, folder)
        except BaseException:
            kept = folder / f"crash-{number}.yml"
            kept.write_bytes(text.encode("utf-8", "surrogatepass"))
            print(f"round {number}: the spec is kept in {kept}", file=sys.stderr)
            raise
        seen["slower than 1 s"] += time.perf_counter() - started > 1
        seen.update({one.code for one in found} or {"nothing wrong"})
    return seen


def main() -> None:
    import tempfile

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    started = time.perf_counter()
    seen = fuzz(options.rounds, options.seed, Path(tempfile.mkdtemp(prefix="stead-fuzz-")))
    print(f"{options.rounds:,} mutated specs in {time.perf_counter() - started:.0f} s, no traceback")
    for code, count in sorted(seen.items()):
        print(f"  {code:<16} {count:>7,}")


if __name__ == "__main__":
    main()
