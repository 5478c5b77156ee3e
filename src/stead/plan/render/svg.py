"""Drawings as SVG, made here so that nobody needs Graphviz. Colours follow the reader's light or dark page."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from html import escape
from zlib import crc32

from stead.plan.graph import Graph, GraphNode
from stead.plan.render.layout import HEIGHT, WIDTH, Box, GraphLayout, layered
from stead.plan.render.names import natural, of_hosts

MARGIN = 20
LETTERS = 22  # of a title that fit into a box
NAMED = 4  # hosts of a block that are named
CHIPS = 14  # resources drawn in the box of one host; the rest are counted
_CHIP, _HEAD = 18, 26

STYLE = """
.st-box{fill:#fff;stroke:#d3d8df;stroke-width:1}.st-name{font:600 12px system-ui,sans-serif;fill:#16191d}
.st-kind{font:10.5px system-ui,sans-serif;fill:#626b76}.st-edge{fill:none;stroke:#b3bac4;stroke-width:1.25}
.st-host{fill:#f6f7f9;stroke:#d3d8df}
@media (prefers-color-scheme:dark){.st-box{fill:#1b2026;stroke:#39414b}.st-name{fill:#e8ebee}.st-kind{fill:#9aa4af}
.st-edge{stroke:#566170}.st-host{fill:#161a1f;stroke:#39414b}}
"""


def to_svg(graph: Graph) -> str:
    return drawing(*_graph(graph), "How resources refer to each other")


def hosts_svg(residents: Mapping[str, Sequence[str]]) -> str:
    """A box for each host with the names of what lives there."""
    return drawing(*_hosts(residents), "What is on each host")


def drawing(width: int, height: int, shapes: Sequence[str], label: str) -> str:
    """`label` is for those who do not see it."""
    size = f"{-MARGIN} {-MARGIN} {width + 2 * MARGIN} {height + 2 * MARGIN}"
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="{size}" width="{width + 2 * MARGIN}" '
        f'height="{height + 2 * MARGIN}" role="img" aria-label="{label}"><style>{STYLE}</style>\n'
        + "\n".join(shapes)
        + "\n</svg>\n"
    )


def _graph(graph: Graph) -> tuple[int, int, list[str]]:
    layout = layered(len(graph.nodes), graph.edges)
    shapes = [_edge(layout, edge, way) for edge, way in zip(graph.edges, layout.ways, strict=True)]
    for node, box in zip(graph.nodes, layout.boxes, strict=True):
        shapes += _box(node, box.x, box.y)
    return layout.width, layout.height, shapes


def _edge(layout: GraphLayout, edge: tuple[int, int], way: Sequence[Box]) -> str:
    """From the right side of what is referred to, past all between, to the left side of what refers to it."""
    start, end = edge
    first, last = layout.boxes[end], layout.boxes[start]
    x, y = first.x + WIDTH, first.y + HEIGHT // 2
    path = [f"M{x} {y}"]
    for stop in way:
        path += [_curve(x, y, stop.x, stop.y), f"H{stop.x + WIDTH}"]
        x, y = stop.x + WIDTH, stop.y
    path.append(_curve(x, y, last.x, last.y + HEIGHT // 2))
    return f'<path class="st-edge" d="{" ".join(path)}"/>'


def _curve(x1: int, y1: int, x2: int, y2: int) -> str:
    bend = max(30, (x2 - x1) // 2)
    return f"C{x1 + bend} {y1} {x2 - bend} {y2} {x2} {y2}"


def _box(node: GraphNode, x: int, y: int) -> Iterator[str]:
    hosts = of_hosts(node.hosts) if len(node.hosts) <= NAMED else f"{len(node.hosts):,} hosts"
    about = f"{node.address.kind.replace('_', ' ').removesuffix('s')}{f' on {hosts}' if hosts else ''}"
    title = escape(f"{node.address} ({node.members}){f' on {hosts}' if hosts else ''}", quote=False)
    yield f"<g><title>{title}</title>"
    yield (
        f'<rect class="st-box" x="{x}" y="{y}" width="{WIDTH}" height="{HEIGHT}" rx="7"/>'
        f'<rect x="{x}" y="{y + 8}" width="4" height="{HEIGHT - 16}" rx="2" fill="{colour(node.address.kind)}"/>'
    )
    yield f'<text class="st-name" x="{x + 13}" y="{y + 18}">{_fitting(node.title)}</text>'
    yield f'<text class="st-kind" x="{x + 13}" y="{y + 33}">{_fitting(about, LETTERS + 5)}</text></g>'


def _hosts(residents: Mapping[str, Sequence[str]]) -> tuple[int, int, list[str]]:
    """Boxes in rows, each as tall as the fullest of its row."""
    names = sorted(residents, key=natural)
    columns = min(5, max(1, len(names)))
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
    return f"hsl({crc32(kind.encode()) % 360} 62% 50%)"
