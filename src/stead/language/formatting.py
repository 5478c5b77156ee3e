"""One style for specs, by ruamel.yaml's round trip, which keeps comments, quotes and anchors."""

from __future__ import annotations

import re
from io import StringIO
from typing import Any

from stead.core.diagnostics import Diagnostic
from stead.language.document import Mapping, Node, Scalar, Sequence
from stead.language.document.parser import read

ORDER = (
    "stead",
    "site",
    "vars",
    "include",
    "users",
    "profiles",
    "images",
    "flavors",
    "keypairs",
    "networks",
    "projects",
)
LAST = ("exports", "outputs", "checks", "moved", "forget")
WIDTH = 120
_REMARK = re.compile(r"(?:^|\s)#.*", re.MULTILINE)
# Between sections: a comment belongs to its neighbour, and a blank line to both. Those are left where they are.
_APART = re.compile(r"^(?:#|[ \t]*\n)", re.MULTILINE)


def formatted(text: str, file: str) -> tuple[str, list[Diagnostic]]:
    """The text in Stead's style, which means what it meant; what is not YAML comes back as it is, with why."""
    before, found = read(text.encode("utf-8", "surrogateescape"), file)
    if found or before is None:
        return text, found
    styled = _styled(text)
    # Blanks at the end of a line may be content, and a long text in quotes may break where it must not.
    for one in ("\n".join(line.rstrip() for line in styled.rstrip().split("\n")) + "\n", styled):
        after, wrong = read(one.encode(), file)
        kept = not wrong and after is not None and _meaning(after) == _meaning(before)
        if kept and _comments(one) == _comments(text):
            # Where the style has left nothing between sections, they can be put in order after all.
            return formatted(one, file) if _APART.search(text) and not _APART.search(one) else (one, [])
    return text, []


def _styled(text: str) -> str:
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError

    yaml = YAML()
    yaml.preserve_quotes = True
    yaml.width = WIDTH
    yaml.brace_single_entry_mapping_in_flow_sequence = True
    yaml.indent(mapping=2, sequence=4, offset=2)
    out = StringIO()
    try:
        document = yaml.load(text)
        if isinstance(document, dict) and "stead" in document and not _APART.search(text):
            _in_order(document)
        yaml.dump(document, out)
    except YAMLError:  # it takes `1` and `true` for one key
        return text
    return out.getvalue()


def _comments(text: str) -> list[str]:
    """What may be one: ruamel loses those behind a mapping in braces."""
    return sorted(one.strip() for one in _REMARK.findall(text))


def _meaning(node: Node) -> object:
    """To be compared: without places, in any order of keys, and with 1 and true apart."""
    match node:
        case Mapping():
            return {key: _meaning(value) for key, value in node.entries.items()}
        case Sequence():
            return [_meaning(item) for item in node.items]
        case Scalar():
            return (node.tag, repr(node.value))
        case _:
            raise AssertionError(node)


def _in_order(document: Any) -> None:
    """Sections as a reader wants them: what is said of everything first, what follows from it last."""
    for word in (*ORDER, *(w for w in list(document) if w not in ORDER and w not in LAST), *LAST):
        if word in document:
            document.move_to_end(word)
