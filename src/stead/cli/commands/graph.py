"""Draw the references between resources: arrows go from a resource to those that it needs.

  stead graph                          DOT, for Graphviz
  stead graph --format mermaid         for Markdown on GitHub and GitLab
  stead graph --format svg > site.svg  drawn here, without Graphviz
  stead graph --placed --format svg    with the hosts that a plan chooses
  stead graph --kind instances --kind networks --project acme

exit status: 0; 1 when the spec has errors, or has nothing of that kind or project
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Sequence

from stead.cli.common import options as shared
from stead.cli.common.workspace import BAD_OPTION, Workspace, read_spec
from stead.core.diagnostics import Refused, has_errors
from stead.kinds import kinds
from stead.plan.graph import Graph, GraphResource, graph_of, only, to_dot, to_mermaid

FORMATS = ("dot", "mermaid", "svg", "json")


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--format", choices=FORMATS, default="dot", help="how to draw it (default: dot)")
    parser.add_argument("--json", action="store_const", const="json", dest="format", help="the same as --format json")
    parser.add_argument("--kind", action="append", default=[], metavar="KIND", help="only this kind; may be repeated")
    parser.add_argument("--project", action="append", default=[], metavar="NAME", help="only this project")
    parser.add_argument("--placed", action="store_true", help="plan, and show the hosts too")
    shared.inputs(parser)


def run(options: argparse.Namespace) -> int:
    workspace = shared.workspace_of(options)
    things = list(placed(workspace) if options.placed else written(workspace))
    _check(options.kind, options.project, things)
    if options.project:
        things = [one for one in things if one.address.project in options.project]
    graph = graph_of(things)
    if options.kind:
        graph = only(graph, frozenset(options.kind))
    print(drawn(graph, options.format), end="")
    return 0


def _check(asked: Sequence[str], within: Sequence[str], things: Sequence[GraphResource]) -> None:
    """A name that is misspelt would draw nothing."""
    projects = {one.address.project for one in things} - {""}
    wrong = [
        BAD_OPTION.at(None, f"{option} {name}: choose one of {', '.join(sorted(known)) or 'none'}.")
        for option, names, known in (("--kind", asked, kinds()), ("--project", within, projects))
        for name in names
        if name not in known
    ]
    if wrong:
        raise Refused(*wrong)


def written(workspace: Workspace) -> Iterator[GraphResource]:
    """From the spec alone: no host is asked and nothing is chosen."""
    desired, found = read_spec(workspace)
    if has_errors(found):
        raise Refused(*found)
    for block in desired.blocks:
        refs = (*block.refs, *block.settings.depends_on)
        yield from (GraphResource(address, "", refs) for address in block.members)


def placed(workspace: Workspace) -> Iterator[GraphResource]:
    from stead.cli.common.planning import make
    from stead.cli.common.request import NOTHING_ASKED

    for settled in make(workspace, NOTHING_ASKED).blueprint.resources.values():
        settings = settled.block.settings
        yield GraphResource(settled.address, settled.host, (*settled.block.refs, *settings.depends_on))


def drawn(graph: Graph, form: str) -> str:
    match form:
        case "svg":
            from stead.plan.render.svg import to_svg

            return to_svg(graph)
        case "mermaid":
            return to_mermaid(graph)
        case "json":
            return to_json(graph)
        case _:
            return to_dot(graph)


def to_json(graph: Graph) -> str:
    nodes = [{"address": str(one.address), "members": one.members, "hosts": list(one.hosts)} for one in graph.nodes]
    edges = [{"from": str(graph.nodes[a].address), "to": str(graph.nodes[b].address)} for a, b in graph.edges]
    return json.dumps({"nodes": nodes, "edges": edges}, indent=1) + "\n"
