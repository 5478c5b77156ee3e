"""Where a variable stands in the inventory's files. Only asked after a mistake, since finding it reads them again."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import yaml

from stead.core.diagnostics import Place
from stead.site.inventory.ranges import BadRange, expand


def place_of(files: Sequence[Path], key: str, host: str) -> Place | None:
    """That of the host itself rather than that of a group, and the last one, since later files win."""
    best: tuple[int, Place] | None = None
    for file in files:
        for above, node in _keys(file, key):
            rank = 2 if any(_names(one, host) for one in (*above, file.stem, file.parent.name)) else 1
            place = Place(str(file), node.start_mark.line + 1, node.start_mark.column + 1)
            if best is None or rank >= best[0]:
                best = (rank, place)
    return best[1] if best else None


def _keys(file: Path, key: str) -> Iterator[tuple[tuple[str, ...], yaml.ScalarNode]]:
    try:
        root = yaml.compose(file.read_text(encoding="utf-8"), yaml.SafeLoader)
    except (OSError, yaml.YAMLError, UnicodeDecodeError):
        return
    stack: list[tuple[tuple[str, ...], yaml.Node | None]] = [((), root)]
    while stack:
        above, node = stack.pop()
        if not isinstance(node, yaml.MappingNode):
            continue
        for name, value in node.value:
            if isinstance(name, yaml.ScalarNode):
                if name.value == key:
                    yield above, name
                stack.append(((*above, name.value), value))


def _names(pattern: str, host: str) -> bool:
    if pattern == host:
        return True
    try:
        return "[" in pattern and host in expand(pattern)
    except BadRange:
        return False
