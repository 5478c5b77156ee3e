"""One style for specs, by ruamel.yaml's round trip, which keeps comments, quotes and anchors."""

from __future__ import annotations

from io import StringIO
from typing import Any

from stead.diagnostics import Diagnostic
from stead.document.parser import read

ORDER = ("stead", "site", "vars", "include", "images", "flavors", "keypairs", "networks", "projects")
LAST = ("outputs", "checks", "moved", "forget")
WIDTH = 120


def formatted(text: str, file: str) -> tuple[str, list[Diagnostic]]:
    """The text in Stead's style; what is not YAML comes back as it is, with why."""
    _, found = read(text.encode("utf-8", "surrogateescape"), file)
    if found:
        return text, found
    from ruamel.yaml import YAML

    yaml = YAML()
    yaml.preserve_quotes = True
    yaml.width = WIDTH
    yaml.brace_single_entry_mapping_in_flow_sequence = True
    yaml.indent(mapping=2, sequence=4, offset=2)
    document = yaml.load(text)
    if document is None:
        return text, []
    if isinstance(document, dict) and "stead" in document:
        _in_order(document)
    out = StringIO()
    yaml.dump(document, out)
    return "\n".join(line.rstrip() for line in out.getvalue().rstrip().splitlines()) + "\n", []


def _in_order(document: Any) -> None:
    """Sections as a reader wants them: what is said of everything first, what follows from it last."""
    if document.ca.comment is None and not document.ca.items:  # a comment belongs to its neighbour: leave those alone
        for word in (*ORDER, *(w for w in list(document) if w not in ORDER and w not in LAST), *LAST):
            if word in document:
                document.move_to_end(word)
