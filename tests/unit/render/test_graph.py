"""Graphs and their drawings."""

from __future__ import annotations

from xml.dom import minidom

from hypothesis import given
from hypothesis import strategies as some
from tests.unit.render.plans import at

from stead.plan.graph import Graph, GraphResource, graph_of, only, to_dot, to_mermaid
from stead.plan.render.layout import HEIGHT, WIDTH, layered
from stead.plan.render.svg import hosts_svg, to_svg


def small() -> Graph:
    app = at("acme/networks/app")
    return graph_of(
        [
            GraphResource(app, "network-1", (at("projects/acme"),)),
            *(
                GraphResource(at(f"acme/instances/web[{n}]"), f"compute-{n}", (app, at("projects/acme")))
                for n in range(3)
            ),
            GraphResource(at("projects/acme"), "", ()),
        ]
    )


def test_members_are_one_node_and_projects_are_frames() -> None:
    graph = small()
    assert [(str(node.address), node.members) for node in graph.nodes] == [
        ("projects/acme", 1),
        ("acme/instances/web", 3),
        ("acme/networks/app", 1),
    ]
    assert graph.edges == ((1, 2),)


def test_a_part_keeps_the_edges_within_it() -> None:
    assert only(small(), frozenset({"instances"})).edges == ()
    assert only(small(), frozenset({"instances", "networks"})).edges == ((0, 1),)


def test_dot_and_mermaid_name_every_node() -> None:
    for drawn in (to_dot(small()), to_mermaid(small())):
        assert "web ×3" in drawn  # noqa: RUF001 - times
        assert "app" in drawn
    assert '"acme/instances/web" -> "acme/networks/app";' in to_dot(small())


def test_svg_is_well_formed_and_complete() -> None:
    drawn = to_svg(small())
    minidom.parseString(drawn)  # noqa: S318 - made here
    assert drawn.count('class="st-box"') == 3
    minidom.parseString(hosts_svg({"compute-1": [f"web[{n}]" for n in range(50)], "a<b": []}))  # noqa: S318


edges = some.integers(1, 30).flatmap(
    lambda count: some.tuples(
        some.just(count), some.sets(some.tuples(some.integers(0, count - 1), some.integers(0, count - 1)), max_size=60)
    )
)


@given(edges)
def test_no_two_boxes_overlap_and_arrows_point_left(drawn: tuple[int, set[tuple[int, int]]]) -> None:
    count, pairs = drawn
    acyclic = sorted((max(pair), min(pair)) for pair in pairs if pair[0] != pair[1])
    boxes = layered(count, acyclic).boxes
    assert len({(box.x, box.y) for box in boxes}) == count
    for one in boxes:
        near = [two for two in boxes if two != one and abs(two.x - one.x) < WIDTH and abs(two.y - one.y) < HEIGHT]
        assert not near
    assert all(boxes[end].x < boxes[start].x for start, end in acyclic)


@given(edges)
def test_circles_are_drawn_too(drawn: tuple[int, set[tuple[int, int]]]) -> None:
    count, pairs = drawn
    assert len(layered(count, sorted(pairs)).boxes) == count
