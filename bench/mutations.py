"""Mistakes to make in texts: values and entries that have led astray, and random edits that put them in."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from copy import deepcopy
from typing import Any, NamedTuple

import yaml

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


class Words(NamedTuple):
    """What is put in for a value, and as a line of its own."""

    values: tuple[str, ...]
    entries: tuple[str, ...]


SPEC = Words(VALUES, ENTRIES)


def mutated(text: str, dice: random.Random, words: Words = SPEC) -> str:
    """A few random edits: values, entries, lines, characters; put in, swapped, dropped, doubled."""
    for _ in range(dice.randint(1, 4)):
        text = _edited(text, dice, words)
    return text


def _edited(text: str, dice: random.Random, words: Words) -> str:
    lines = text.splitlines(keepends=True) or [""]
    at, position = dice.randrange(len(lines)), dice.randint(0, len(text))
    match dice.randrange(9):
        case 0 | 1:
            tokens = list(_TOKEN.finditer(text))
            if not tokens:
                return text + dice.choice(words.values)
            token = dice.choice(tokens)
            return text[: token.start()] + dice.choice(words.values) + text[token.end() :]
        case 2:
            head, colon, _ = lines[at].partition(":")
            lines[at] = f"{head}{colon} {dice.choice(words.values)}\n"
        case 3:
            indent = lines[at][: len(lines[at]) - len(lines[at].lstrip(" "))]
            lines.insert(at, f"{indent}{dice.choice(words.entries)}\n")
        case 4:
            return text.replace("{", "{" + dice.choice(words.entries) + ", ", 1 + dice.randrange(3))
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


def reshaped(tree: Any, dice: random.Random, words: Words) -> Any:
    """A value somewhere in it is another one, gone, doubled under another name, or swapped with one elsewhere."""
    spots = list(_spots(tree))
    if not spots:
        return dice.choice(words.values)
    into, at = dice.choice(spots)
    other, there = dice.choice(spots)
    match dice.randrange(6):
        case 0 | 1:
            into[at] = _value(dice.choice(words.values))
        case 2:
            into[at] = deepcopy(other[there])  # it may have this one in it
        case 3:
            del into[at]
        case 4 if isinstance(into, dict):
            into[dice.choice((*words.values, 1, None, 1.5, True, "a b"))] = into.pop(at)
        case _:
            entry = _value(dice.choice(words.entries))
            into[at] = {**into[at], **entry} if isinstance(into[at], dict) and isinstance(entry, dict) else entry
    return tree


def _spots(tree: Any) -> Iterator[tuple[Any, Any]]:
    below = tree.items() if isinstance(tree, dict) else enumerate(tree) if isinstance(tree, list) else ()
    for at, one in below:
        yield tree, at
        yield from _spots(one)


def _value(text: str) -> Any:
    try:
        return yaml.safe_load(text)
    except (
        yaml.YAMLError,
        ValueError,
        AttributeError,
        RecursionError,
    ):  # a tag that does not fit, two thousand brackets
        return text
