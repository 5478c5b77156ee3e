"""What this server counts while it runs: requests, and how long plans take. Nothing of it is kept."""

from __future__ import annotations

import threading
from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from itertools import accumulate

from ansible_collections.stead.cloud.plugins.module_utils.host.base.exposition import (
    HISTOGRAM,
    Metric,
    MetricSample,
    counter,
)
from stead.serve.routes import ApiRoute

REQUESTS = (0.005, 0.02, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)  # seconds
PLANS = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)


class Durations:
    """A histogram with one label set for each key."""

    def __init__(self, name: str, text: str, bounds: Sequence[float], names: Sequence[str] = ()) -> None:
        self._name, self._text, self._bounds, self._names = name, text, bounds, names
        self._counts: dict[tuple[str, ...], list[int]] = {} if names else {(): self._empty()}
        self._sums: defaultdict[tuple[str, ...], float] = defaultdict(float)

    def _empty(self) -> list[int]:
        return [0] * (len(self._bounds) + 1)

    def add(self, key: tuple[str, ...], seconds: float) -> None:
        self._counts.setdefault(key, self._empty())[bisect_left(self._bounds, seconds)] += 1
        self._sums[key] += seconds

    def family(self) -> Metric:
        return Metric(self._name, HISTOGRAM, self._text, list(self._samples()))

    def _samples(self) -> Iterator[MetricSample]:
        for key, counts in sorted(self._counts.items()):
            labels = dict(zip(self._names, key, strict=True))
            sums = list(accumulate(counts))
            for bound, number in zip([*map(str, self._bounds), "+Inf"], sums, strict=True):
                yield MetricSample({**labels, "le": bound}, number, "_bucket")
            yield MetricSample(labels, self._sums[key], "_sum")
            yield MetricSample(labels, sums[-1], "_count")


class ServerCounts:
    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._requests = Counter[tuple[str, ...]]()
        text = "How long requests to the API took."
        self._seconds = Durations("stead_api_request_seconds", text, REQUESTS, ("service", "method"))
        self._plans = Durations("stead_plan_seconds", "How long plans of requests took.", PLANS)

    def request(self, route: ApiRoute, status: int, seconds: float) -> None:
        """By the route's own path, so that no client makes new series."""
        service = route.path.split("/")[1]
        with self._lock:
            self._requests[service, route.method, route.path, str(status)] += 1
            self._seconds.add((service, route.method), seconds)

    def plan(self, seconds: float) -> None:
        with self._lock:
            self._plans.add((), seconds)

    def families(self) -> list[Metric]:
        names = ("service", "method", "route", "status")
        with self._lock:
            requests = counter("stead_api_requests_total", "Requests to the API.", names, self._requests)
            return [requests, self._seconds.family(), self._plans.family()]
