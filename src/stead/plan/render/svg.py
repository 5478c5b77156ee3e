"""Drawings as SVG, made here so that nobody needs Graphviz. Colours follow the reader's light or dark page."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from html import escape
from zlib import crc32

from stead.plan.graph import Graph, Node
from stead.plan.render.layout import HEIGHT, WIDTH, Layout, layered
from stead.plan.render.names import natural, of_hosts

MARGIN = 20
LETTERS = 20  # of a title that fit into a box
CHIPS = 14  # resources drawn in the box of one host; the rest are counted
_CHIP, _HEAD = 18, 26

STYLE = """
.st-box{fill:#fff;stroke-width:1.5}.st-name{font:600 12px system-ui,sans-serif;fill:#111}
.st-kind{font:10px system-ui,sans-serif;fill:#555}.st-edge{fill:none;stroke:#999;stroke-width:1}
.st-host{fill:#f6f7f9;stroke:#bbb}
@media (prefers-color-scheme:dark){.st-box{fill:#1c1f24}.st-name{fill:#eee}.st-kind{fill:#aaa}
.st-edge{stroke:#777}.st-host{fill:#16181c;stroke:#555}}
"""


def to_svg(graph: Graph) -> str:
    return drawing(*_graph(graph))


def hosts_svg(residents: Mapping[str, Sequence[str]]) -> str:
    """A box for each host with the names of what lives there."""
    return drawing(*_hosts(residents))


def drawing(width: int, height: int, shapes: Sequence[str]) -> str:
    size = f"{-MARGIN} {-MARGIN} {width + 2 * MARGIN} {height + 2 * MARGIN}"
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="{size}" width="{width + 2 * MARGIN}" '
        f'height="{height + 2 * MARGIN}" role="img"><style>{STYLE}</style>\n' + "\n".join(shapes) + "\n</svg>\n"
    )


def _graph(graph: Graph) -> tuple[int, int, list[str]]:
    layout = layered(len(graph.nodes), graph.edges)
    shapes = [_edge(layout, start, end) for start, end in graph.edges]
    for node, box in zip(graph.nodes, layout.boxes, strict=True):
        shapes += _box(node, box.x, box.y)
    return layout.width, layout.height, shapes


def _edge(layout: Layout, start: int, end: int) -> str:
    """From the right side of what is referred to, to the left side of what refers to it."""
    a, b = layout.boxes[end], layout.boxes[start]
    x1, y1, x2, y2 = a.x + WIDTH, a.y + HEIGHT // 2, b.x, b.y + HEIGHT // 2
    bend = max(30, (x2 - x1) // 2)
    return f'<path class="st-edge" d="M{x1} {y1} C{x1 + bend} {y1} {x2 - bend} {y2} {x2} {y2}"/>'


def _box(node: Node, x: int, y: int) -> Iterator[str]:
    hosts = of_hosts(node.hosts)
    about = f"{node.address.kind.replace('_', ' ').removesuffix('s')}{f' on {hosts}' if hosts else ''}"
    title = escape(f"{node.address} ({node.members}){f' on {hosts}' if hosts else ''}", quote=False)
    yield f"<g><title>{title}</title>"
    yield (
        f'<rect class="st-box" x="{x}" y="{y}" width="{WIDTH}" height="{HEIGHT}" rx="6" '
        f'stroke="{colour(node.address.kind)}"/>'
    )
    yield f'<text class="st-name" x="{x + 10}" y="{y + 17}">{_fitting(node.title)}</text>'
    yield f'<text class="st-kind" x="{x + 10}" y="{y + 31}">{_fitting(about, LETTERS + 6)}</text></g>'


def _hosts(residents: Mapping[str, Sequence[str]]) -> tuple[int, int, list[str]]:
    """Boxes in rows, each as tall as the fullest of its row."""
    names = sorted(residents, key=natural)
    columns = min(6, max(1, len(names)))
    shapes: list[str] = []
    top = 0
    for start in range(0, len(names), columns):
        row = names[start : start + columns]
        tall = _HEAD + _CHIP * max(min(len(residents[name]), CHIPS + 1) for name in row) + 8
        for column, name in enumerate(row):
            shapes += _host(name, residents[name], (column * (WIDTH + 20), top, tall))
        top += tall + 20
    return columns * (WIDTH + 20) - 20, max(0, top - 20), shapes


def _host(name: str, names: Sequence[str], spot: tuple[int, int, int]) -> Iterator[str]:
    x, y, tall = spot
    yield f'<rect class="st-host" x="{x}" y="{y}" width="{WIDTH}" height="{tall}" rx="6"/>'
    yield f'<text class="st-name" x="{x + 10}" y="{y + 18}">{_fitting(name)}</text>'
    lines = [*names[:CHIPS], *([f"… {len(names) - CHIPS:,} more"] if len(names) > CHIPS else [])]
    for at, line in enumerate(lines):
        middle = y + _HEAD + _CHIP * at + 10
        yield f'<text class="st-kind" x="{x + 10}" y="{middle}">{_fitting(line, LETTERS + 6)}</text>'


def _fitting(text: str, letters: int = LETTERS) -> str:
    return escape(text if len(text) <= letters else text[: letters - 1] + "…", quote=False)


def colour(kind: str) -> str:
    """A hue for each kind, the same on every drawing; any kind has one."""
    return f"hsl({crc32(kind.encode()) % 360} 60% 45%)"
