"""Places the boxes of a graph on a plane: in layers by what refers to what, with few crossings.

The usual way (Sugiyama's) in its smallest useful form: longest path gives the layer, the middle of the neighbours
gives the order. Deterministic, since a drawing is compared by eye with the one before.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from stead.value import value

SWEEPS = 6  # more change nothing on graphs that a person can still read
WIDTH, HEIGHT = 150, 40
GAP_X, GAP_Y = 70, 16


class Box(NamedTuple):
    x: int
    y: int


@value
class Layout:
    boxes: tuple[Box, ...]
    width: int
    height: int


def layered(count: int, edges: Sequence[tuple[int, int]]) -> Layout:
    """Left to right: what is referred to stands to the left of what refers to it."""
    layers = _ordered(_layers(count, edges), edges)
    tallest = max((len(layer) for layer in layers), default=0)
    height = tallest * (HEIGHT + GAP_Y) - GAP_Y
    boxes = [Box(0, 0)] * count
    for column, layer in enumerate(layers):
        top = (height - (len(layer) * (HEIGHT + GAP_Y) - GAP_Y)) // 2
        for row, node in enumerate(layer):
            boxes[node] = Box(column * (WIDTH + GAP_X), top + row * (HEIGHT + GAP_Y))
    return Layout(boxes=tuple(boxes), width=max(0, len(layers) * (WIDTH + GAP_X) - GAP_X), height=max(0, height))


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
