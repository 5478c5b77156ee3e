"""Laws of the one comparison, whatever the fields are."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.stead.cloud.plugins.module_utils.wire.compare import SHOWN, compare

SCALARS = st.none() | st.booleans() | st.integers(0, 9) | st.sampled_from(["", "a", "b"])
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("xyz"), inner, max_size=3),
    max_leaves=8,
)
FIELDS = st.dictionaries(st.sampled_from(["one", "two", "three"]), VALUES, max_size=3)
LONG = st.dictionaries(st.integers(0, 99).map(str), st.integers(0, 3), min_size=SHOWN + 1, max_size=SHOWN + 20)


def _bare(value: Any) -> Any:
    """Without what says nothing."""
    if isinstance(value, dict):
        return {key: one for key, below in value.items() if (one := _bare(below)) not in (None, "", [], {})}
    if isinstance(value, list):
        return [None if (bare := _bare(one)) in ("", [], {}) else bare for one in value]
    return value


@given(FIELDS)
def test_what_is_the_same_differs_in_nothing(fields: dict[str, Any]) -> None:
    assert compare(fields, fields) == []


@given(FIELDS)
def test_what_says_nothing_is_no_difference(fields: dict[str, Any]) -> None:
    assert compare(_bare(fields), fields) == []


@given(FIELDS, FIELDS)
def test_what_differs_one_way_differs_the_other(want: dict[str, Any], have: dict[str, Any]) -> None:
    there = compare(want, have)
    back = compare(have, want)
    assert [field for field, _, _ in there] == [field for field, _, _ in back]
    assert [(old, new) for _, old, new in there] == [(new, old) for _, old, new in back]


@given(FIELDS, FIELDS)
def test_nothing_said_means_nothing_to_do(want: dict[str, Any], have: dict[str, Any]) -> None:
    if not compare(want, have):
        assert _bare(want) == _bare(have)


@given(LONG, LONG)
def test_long_maps_are_told_in_one_line(want: dict[str, int], have: dict[str, int]) -> None:
    found = compare({"ports": want}, {"ports": have})
    assert len(found) == (want != have)
    assert all(isinstance(new, str) for _, _, new in found)
