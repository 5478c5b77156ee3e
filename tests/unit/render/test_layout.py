"""Drawings: what a reader must be able to follow."""

from __future__ import annotations

from stead.core.address import Address
from stead.plan.graph import GraphResource, graph_of
from stead.plan.render.highlights import highlights
from stead.plan.render.layout import HEIGHT, WIDTH, layered


def test_no_edge_runs_through_a_box() -> None:
    edges = [(1, 0), (2, 1), (2, 0), (3, 2), (3, 0), (4, 0)]
    layout = layered(5, edges)
    passed = [spot for way in layout.ways for spot in way]
    assert passed
    for x, y in passed:
        assert not any(box.x == x and box.y <= y <= box.y + HEIGHT for box in layout.boxes)


def test_no_two_boxes_overlap() -> None:
    names = [Address("acme", "instances", f"i{number}") for number in range(40)]
    graph = graph_of([GraphResource(name, "", tuple(names[:at:7])) for at, name in enumerate(names)])
    boxes = layered(len(graph.nodes), graph.edges).boxes
    for at, one in enumerate(boxes):
        for other in boxes[:at]:
            assert abs(one.x - other.x) >= WIDTH or abs(one.y - other.y) >= HEIGHT


def test_an_address_keeps_its_brackets_and_lists_lose_theirs() -> None:
    fields = {"address": "203.0.113.10", "target": "10.0.0.2", "instance": "acme/instances/web[0]", "network": "n"}
    assert "acme/instances/web[0]" in highlights("floating_ips", fields)
    volume = {"address": "acme/volumes/data[api]", "uuid": "0"}
    assert highlights("snapshots", {"volume": volume, "name": "x"}) == "volume acme/volumes/data[api]"
