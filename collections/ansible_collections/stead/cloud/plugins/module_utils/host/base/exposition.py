"""The text that Prometheus reads: its own form, which node_exporter's textfile collector takes, and OpenMetrics.

A host must write it with nothing but Python's standard library, so the controller writes it with this as well.
"""

from __future__ import annotations

import math
from typing import Any, Dict, Iterable, List, Mapping, NamedTuple, Sequence

TEXT = "text/plain; version=0.0.4; charset=utf-8"
OPENMETRICS = "application/openmetrics-text; version=1.0.0; charset=utf-8"
GAUGE, COUNTER, HISTOGRAM = "gauge", "counter", "histogram"
TOTAL = "_total"

Labels = Mapping[str, str]


class MetricSample(NamedTuple):
    labels: Labels
    value: float
    end: str = ""  # after the name of the family: "_bucket"


class Metric(NamedTuple):
    """One metric with all of its series. The name of a counter ends in `_total`."""

    name: str
    kind: str
    text: str
    samples: List[MetricSample]


def gauge(name: str, text: str, names: Sequence[str], values: Mapping[Any, float]) -> Metric:
    """Series by the values of their labels."""
    samples = [MetricSample(dict(zip(names, key)), one) for key, one in sorted(values.items())]
    return Metric(name, GAUGE, text, samples)


def counter(name: str, text: str, names: Sequence[str], values: Mapping[Any, float]) -> Metric:
    return gauge(name, text, names, values)._replace(kind=COUNTER)


def written(families: Iterable[Metric], openmetrics: bool = False) -> str:
    lines: List[str] = []
    for one in families:
        of_family = one.name[: -len(TOTAL)] if openmetrics and one.kind == COUNTER else one.name
        lines.append("# HELP {0} {1}".format(of_family, _help(one.text, openmetrics)))
        lines.append("# TYPE {0} {1}".format(of_family, one.kind))
        lines.extend(
            "{0}{1}{2} {3}".format(one.name, end, _labels(labels), _number(value)) for labels, value, end in one.samples
        )
    if openmetrics:
        lines.append("# EOF")
    return "".join(line + "\n" for line in lines)


def merged(families: Iterable[Metric]) -> List[Metric]:
    """A family once, with the series of all that have its name: that is how the form wants it."""
    found: Dict[str, Metric] = {}
    for one in families:
        if one.name in found:
            found[one.name].samples.extend(one.samples)
        else:
            found[one.name] = one._replace(samples=list(one.samples))
    return list(found.values())


def _labels(labels: Labels) -> str:
    if not labels:
        return ""
    return "{" + ",".join('{0}="{1}"'.format(name, _value(one)) for name, one in sorted(labels.items())) + "}"


def _value(text: str) -> str:
    return text.replace("\\", "\\\\").replace("\n", "\\n").replace('"', '\\"')


def _help(text: str, openmetrics: bool) -> str:
    plain = text.replace("\\", "\\\\").replace("\n", "\\n")
    return plain.replace('"', '\\"') if openmetrics else plain


def _number(value: float) -> str:
    if not math.isfinite(value):
        return "NaN" if math.isnan(value) else "+Inf" if value > 0 else "-Inf"
    return str(int(value)) if value == int(value) and abs(value) < 1e15 else repr(float(value))
