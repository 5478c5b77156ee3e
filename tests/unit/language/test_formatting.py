"""`stead fmt` never changes what a spec means, loses no comment, and has nothing to do the second time."""

from __future__ import annotations

import pytest

from stead.language.document import Node, plain
from stead.language.document.parser import read
from stead.language.formatting import formatted

# Each was changed, or broke fmt off, by ruamel or by taking blanks from the ends of lines.
ODD = {
    "blanks that end lines of a block": "stead: 1\na: |\n  x  \n  y\t\nb: 1\n",
    "blank lines that are kept": "a: |+\n  x\n\n\nb: 1\n",
    "a long text in quotes": 'a: "' + "x\\ty " * 60 + '"\n',
    "another long text in quotes": "a: '" + "wo  rd " * 40 + "'\n",
    "words that YAML 1.1 has for numbers": "a: 1__0\nb: 0b11\nc: 0_7\nd: 1_0.5\ne: 12:30:45\n",
    "times": "a: 2001-12-14 21:59:43.10 -5\nb: 2001-01-01\n",
    "words for infinity": "a: .inf\nb: -.INF\nc: .NaN\n",
    "keys that are numbers and words": "1: a\ntrue: b\nnull: c\n0x1F: d\n",
    "ends of lines of other scripts": "a: 'x\u2028y'\nb: \"p\u0085q\"\n",
    "a comment behind braces": "{stead: 1, projects: {}}\n   # here\n",
    "tags and anchors": "a: !vault |\n  $ANSIBLE_VAULT;1.1;AES256\n  6162\nb: &x {c: 1}\nd: *x\n",
    "a block with blanks in front": "a: |2\n    x\n   y\nb: 1\n",
    "half a style": "stead:   1\nprojects: {a: {b: [1,2], c: }}\n",
}


def value(text: str) -> object:
    node, found = read(text.encode(), "f")
    assert isinstance(node, Node)
    assert not found
    return repr(plain(node))


@pytest.mark.parametrize("text", ODD.values(), ids=ODD)
def test_what_a_text_means_stays(text: str) -> None:
    styled, found = formatted(text, "f")
    assert not found
    assert value(styled) == value(text)
    assert styled.count("#") == text.count("#")
    assert formatted(styled, "f") == (styled, [])


def test_sections_come_in_their_order() -> None:
    styled, _ = formatted("projects:\n    a: {}   \nimages: {}\nstead: 1\noutputs: {}\n", "f")
    assert styled == "stead: 1\nimages: {}\nprojects:\n  a: {}\noutputs: {}\n"


def test_a_comment_stays_with_its_section() -> None:
    text = "projects:\n  a: {} # x\n# of images\nimages:\n  b: {}\nstead: 1\n"
    assert formatted(text, "f") == (text, [])
