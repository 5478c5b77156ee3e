"""Places the boxes of a graph on a plane: in layers by what refers to what, with few crossings.

The usual way (Sugiyama's) in its smallest useful form: longest path gives the layer, the middle of the neighbours
gives the order. Deterministic, since a drawing is compared by eye with the one before.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from stead.core.named import NamedTuple
from stead.core.value import value

SWEEPS = 6  # more change nothing on graphs that a person can still read
WIDTH, HEIGHT = 180, 42
GAP_X, GAP_Y = 64, 14
THIN = 10  # of the place that an edge has in a layer which it only passes


class Box(NamedTuple):
    x: int
    y: int


@value
class GraphLayout:
    boxes: tuple[Box, ...]
    ways: tuple[tuple[Box, ...], ...]  # for each edge, where it passes the layers between its ends
    width: int
    height: int


def layered(count: int, edges: Sequence[tuple[int, int]]) -> GraphLayout:
    """Left to right: what is referred to stands to the left of what refers to it."""
    layers = _layers(count, edges)
    passing, pieces = _passing(layers, edges, count)
    layers = _ordered(layers, pieces)
    heights = [HEIGHT] * count + [THIN] * (sum(map(len, passing)))
    height = max((_tall(layer, heights) for layer in layers), default=0)
    spots = [Box(0, 0)] * len(heights)
    for column, layer in enumerate(layers):
        top = (height - _tall(layer, heights)) // 2
        for node in layer:
            spots[node] = Box(column * (WIDTH + GAP_X), top)
            top += heights[node] + GAP_Y
    return GraphLayout(
        boxes=tuple(spots[:count]),
        ways=tuple(tuple(spots[one]._replace(y=spots[one].y + THIN // 2) for one in way) for way in passing),
        width=max(0, len(layers) * (WIDTH + GAP_X) - GAP_X),
        height=height,
    )


def _tall(layer: Sequence[int], heights: Sequence[int]) -> int:
    return max(0, sum(heights[node] + GAP_Y for node in layer) - GAP_Y)


def _passing(
    layers: list[list[int]], edges: Sequence[tuple[int, int]], count: int
) -> tuple[list[list[int]], list[tuple[int, int]]]:
    """A thin node in each layer that an edge crosses, so that no edge runs through a box. Those, and all the pieces."""
    at = {node: column for column, layer in enumerate(layers) for node in layer}
    found: list[list[int]] = []
    pieces: list[tuple[int, int]] = []
    for start, end in edges:
        way = []
        for column in range(at[end] + 1, at[start]):
            way.append(count)
            layers[column].append(count)
            count += 1
        found.append(way)
        ends = [end, *way, start]
        pieces += [(after, before) for before, after in pairwise(ends)]
    return found, pieces


def _layers(count: int, edges: Sequence[tuple[int, int]]) -> list[list[int]]:
    """By the longest way to something that refers to nothing. An edge that closes a circle is not counted."""
    below: list[list[int]] = [[] for _ in range(count)]
    for start, end in edges:
        below[start].append(end)
    depth = [-1] * count
    entered = [False] * count
    for first in range(count):
        stack = [first]
        while stack:
            node = stack[-1]
            entered[node] = True
            waiting = [one for one in below[node] if depth[one] < 0 and not entered[one]]
            if waiting:
                stack.append(waiting[0])
                continue
            depth[node] = 1 + max((depth[one] for one in below[node]), default=-1)
            stack.pop()
    layers: list[list[int]] = [[] for _ in range(1 + max(depth, default=-1))]
    for node, at in enumerate(depth):
        layers[at].append(node)
    return layers


def _ordered(layers: list[list[int]], edges: Sequence[tuple[int, int]]) -> list[list[int]]:
    near: dict[int, list[int]] = {}
    for start, end in edges:
        near.setdefault(start, []).append(end)
        near.setdefault(end, []).append(start)
    place = {node: float(row) for layer in layers for row, node in enumerate(layer)}
    for sweep in range(SWEEPS):
        for layer in layers if sweep % 2 == 0 else reversed(layers):
            layer.sort(key=lambda node: (_middle([place[one] for one in near.get(node, ())], place[node]), node))
            for row, node in enumerate(layer):
                place[node] = row - len(layer) / 2
    return layers


def _middle(places: Sequence[float], otherwise: float) -> float:
    return sum(places) / len(places) if places else otherwise
