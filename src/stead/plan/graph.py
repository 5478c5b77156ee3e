"""What refers to what, as a graph of blocks; and as DOT and Mermaid. Pure, and knows no kind."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from stead.core.address import Address, order
from stead.core.named import NamedTuple
from stead.core.value import value


class GraphResource(NamedTuple):
    """One resource as a graph needs it. Blueprint, records and plans all can say this much."""

    address: Address
    host: str
    refs: tuple[Address, ...]


class GraphNode(NamedTuple):
    """A block, with as many members as it has."""

    address: Address  # of the block
    members: int
    hosts: tuple[str, ...]

    @property
    def title(self) -> str:
        return f"{self.address.name} ×{self.members}" if self.members > 1 else self.address.name  # noqa: RUF001 - times


@value
class Graph:
    """Edges go from what refers to what is referred to, by position."""

    nodes: tuple[GraphNode, ...]
    edges: tuple[tuple[int, int], ...]


def graph_of(things: Iterable[GraphResource]) -> Graph:
    members: dict[Address, int] = {}
    hosts: dict[Address, set[str]] = {}
    refs: dict[Address, set[Address]] = {}
    for address, host, to in things:
        block = address.block
        members[block] = members.get(block, 0) + 1
        if host:
            hosts.setdefault(block, set()).add(host)
        refs.setdefault(block, set()).update(one.block for one in to if not _own_project(address, one))
    blocks = sorted(members, key=order)
    number = {block: at for at, block in enumerate(blocks)}
    return Graph(
        nodes=tuple(GraphNode(block, members[block], tuple(sorted(hosts.get(block, ())))) for block in blocks),
        edges=tuple(
            sorted(
                (number[block], number[to]) for block in blocks for to in refs[block] if to in number and to != block
            )
        ),
    )


def _own_project(address: Address, to: Address) -> bool:
    """Everything refers to the project that it is in; the frame around it says so already."""
    return to == Address("", "projects", address.project)


def only(graph: Graph, kinds: frozenset[str]) -> Graph:
    """The nodes of some kinds, with the edges between them."""
    kept = [at for at, node in enumerate(graph.nodes) if node.address.kind in kinds]
    number: Mapping[int, int] = {old: new for new, old in enumerate(kept)}
    return Graph(
        nodes=tuple(graph.nodes[at] for at in kept),
        edges=tuple((number[a], number[b]) for a, b in graph.edges if a in number and b in number),
    )


def to_dot(graph: Graph) -> str:
    lines = ["digraph stead {", "  rankdir=LR;", '  node [shape=box, style="rounded", fontname="sans-serif"];']
    for project, numbers in _by_project(graph).items():
        pad = "  "
        if project:
            lines += [f"  subgraph {_quoted(f'cluster_{project}')} {{", f"    label={_quoted(project)};"]
            pad = "    "
        for at in numbers:
            node = graph.nodes[at]
            label = _quoted(f"{node.title}\\n{node.address.kind}")
            lines.append(f"{pad}{_quoted(str(node.address))} [label={label}];")
        if project:
            lines.append("  }")
    names = [_quoted(str(node.address)) for node in graph.nodes]
    lines += [f"  {names[a]} -> {names[b]};" for a, b in graph.edges]
    return "\n".join([*lines, "}", ""])


def to_mermaid(graph: Graph) -> str:
    lines = ["flowchart LR"]
    for project, numbers in _by_project(graph).items():
        pad = "  "
        if project:
            lines.append(f"  subgraph {_word(project)}[{project}]")
            pad = "    "
        for at in numbers:
            node = graph.nodes[at]
            lines.append(f'{pad}n{at}["{node.title}<br/><small>{node.address.kind}</small>"]')
        if project:
            lines.append("  end")
    lines += [f"  n{a} --> n{b}" for a, b in graph.edges]
    return "\n".join([*lines, ""])


def _by_project(graph: Graph) -> dict[str, list[int]]:
    found: dict[str, list[int]] = {}
    for at, node in enumerate(graph.nodes):
        found.setdefault(node.address.project, []).append(at)
    return found


def _quoted(text: str) -> str:
    return '"' + text.replace('"', '\\"') + '"'


def _word(name: str) -> str:
    return "p_" + "".join(letter if letter.isalnum() else "_" for letter in name)
