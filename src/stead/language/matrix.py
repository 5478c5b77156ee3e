"""What the drivers of a family can do, as a page of the reference: made from what they say of themselves."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from stead.core.driver import Driver, Feature, capability


def matrix(drivers: Sequence[Driver], features: Sequence[Feature]) -> Iterator[str]:
    """A table for all of them: a row for each feature, two columns for each driver; then what is to be known."""
    names = [f"`{one.name}`" for one in drivers]
    yield f"| what | {' | '.join(f'{name} | tested on' for name in names)} |"
    yield f"| --- {'| --- | --- ' * len(names)}|"
    for feature in features:
        cells = [capability(one, feature, one.name) for one in drivers]
        told = (f"{'yes' if one.can else 'no'} | {one.tested if one.can else ''}" for one in cells)
        yield f"| {feature.words} | {' | '.join(told)} |"
    yield ""
    for one in drivers:
        yield f"- `{one.name}`: {one.help}"
    for feature in features:
        for one in drivers:
            if text := capability(one, feature, one.name).text:
                yield f"- {feature.words}, `{one.name}`: {text}"
