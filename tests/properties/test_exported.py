"""Whatever a document of the API says, its file says the same, and can be read as a document again."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from hypothesis import example, given
from hypothesis import strategies as st

from stead.language.document import Mapping as MappingNode
from stead.language.document import Node, Scalar, Sequence
from stead.language.document.parser import read
from stead.language.expressions import evaluate
from stead.language.spec.exported import exported, read_exported

PIECES = (
    "{{",
    "}}",
    "{%",
    "%}",
    "{#",
    "#}",
    "{",
    "}",
    "'",
    '"',
    "\n",
    " ",
    "a",
    "0o17",
    "yes",
    "22:30",
    "~",
    "ä",
    ":",
    "#",
)
TEXT = st.lists(st.sampled_from(PIECES), max_size=12).map("".join)
VALUE = st.recursive(
    TEXT | st.booleans() | st.integers(-5, 5) | st.none(),
    lambda below: (
        st.lists(below, max_size=3) | st.dictionaries(st.sampled_from(("one", "two", "three")), below, max_size=3)
    ),
    max_leaves=8,
)
CONTENT = st.dictionaries(st.sampled_from(("instances", "volumes")), st.dictionaries(st.just("web"), VALUE, max_size=1))


def computed(node: Node | None) -> Any:
    """As the spec's reader comes to values of fields of text."""
    match node:
        case MappingNode():
            return {word: computed(below) for word, below in node.entries.items()}
        case Sequence():
            return [computed(one) for one in node.items]
        case Scalar():
            return evaluate(node.text, {}) if node.computes else node.value
        case _:
            raise AssertionError(node)


@given(CONTENT)
@example({"instances": {"web": "{{ vars.x }}\n"}})
@example({"instances": {"web": {"one": "{{{{%}}}}", "two": "0x1f"}}})
def test_a_file_says_what_the_document_said(content: Mapping[str, Any]) -> None:
    text = exported("acme", {"project": {"display_name": "Acme: {{ 1 }}"}, **content})
    node, found = read(text.encode(), "acme.yml")
    assert found == []
    assert computed(node) == {"stead": 1, **content}
    with TemporaryDirectory() as folder:
        path = Path(folder, "acme.yml")
        path.write_text(text, encoding="utf-8")
        assert read_exported(path) == content
