# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The only comparison of want and have. Planner and host both use it, so they cannot disagree.

Standard library only, Python 3.9: it also runs on hosts. What the user left out and the host fills in is no difference:
nothing, null, and an empty list or map are the same.
"""

from __future__ import annotations

from typing import Any, Iterator, List, Mapping, Tuple

Difference = Tuple[str, Any, Any]  # field, have, want

# For longer lists and maps, only the number of changes is reported: people read a plan, and it is stored for each host.
SHOWN = 16


def compare(want: Mapping[str, Any], have: Mapping[str, Any]) -> List[Difference]:
    return list(_maps("", want, have))


def without(fields: Mapping[str, Any], *names: str) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if name not in names}


def renamed(wanted: Mapping[str, Any], there: Mapping[str, Any], by: str) -> dict[str, str]:
    """Keys of have -> their keys in want, matched by a field that does not change with the name."""
    names = {one.get(by): key for key, one in wanted.items()}
    return {key: names[one.get(by)] for key, one in there.items() if key not in wanted and one.get(by) in names}


def _differences(path: str, want: Any, have: Any) -> Iterator[Difference]:
    if want == have or (_nothing(want) and _nothing(have)):
        return
    if isinstance(want, dict) and isinstance(have, dict) and "$secret" not in want and "$secret" not in have:
        yield from _long(path, want, have) or _maps(path + ".", want, have)
    elif isinstance(want, list) and isinstance(have, list):
        yield from _long(path, want, have) or _lists(path, want, have)
    else:
        yield path, have, want


def _maps(stem: str, want: Mapping[str, Any], have: Mapping[str, Any]) -> Iterator[Difference]:
    for name in sorted(want.keys() | have.keys()):
        yield from _differences(stem + name, want.get(name), have.get(name))


def _lists(path: str, want: List[Any], have: List[Any]) -> Iterator[Difference]:
    """Compares by position if that is more precise: records with some different fields."""
    if len(want) != len(have):
        yield path, have, want
        return
    found: List[Difference] = []
    for at, (wanted, there) in enumerate(zip(want, have)):
        found.extend(_differences("{0}.{1}".format(path, at), wanted, there))
    if all(isinstance(one, dict) for one in want + have):
        yield from found
    elif found:
        yield path, have, want


def _long(path: str, want: Any, have: Any) -> List[Difference]:
    if max(len(want), len(have)) <= SHOWN:
        return []
    if isinstance(want, dict):
        common = want.keys() & have.keys()
        added, gone = len(want) - len(common), len(have) - len(common)
        other = sum(1 for name in common if want[name] != have[name])
    else:
        new, old = {repr(one) for one in want}, {repr(one) for one in have}
        added, gone, other = len(new - old), len(old - new), 0
    parts = [
        text.format(count) for text, count in (("{0} new", added), ("{0} gone", gone), ("{0} other", other)) if count
    ]
    return [
        (
            path,
            "{0} entries".format(len(have)),
            "{0} entries: {1}".format(len(want), ", ".join(parts) or "in another order"),
        )
    ]


def _nothing(value: Any) -> bool:
    if isinstance(value, dict):
        return all(_nothing(one) for one in value.values())
    return value is None or value in ([], "")
