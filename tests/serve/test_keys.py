"""Keys of what the API makes: each once, however many are made in a moment, and all of them names."""

from __future__ import annotations

from typing import Any

from stead.core.address import NAME
from stead.serve.edits import free_key, slug
from stead.serve.keys import fresh, new_key


def test_no_key_is_made_twice() -> None:
    """A hundred servers of one request have one millisecond; the second with a key would replace the first."""
    assert len({new_key("instances") for _ in range(20_000)}) == 20_000


def test_every_key_is_a_name() -> None:
    for wanted in ("web", "", "x" * 80, f"{'x' * 38}---------------"):
        taken: dict[str, Any] = {"keypairs": {slug(wanted): {}}}
        assert NAME.fullmatch(free_key(taken, "keypairs", slug(wanted), fresh()))
