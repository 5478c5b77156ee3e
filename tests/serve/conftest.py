"""One served site for the tests of a file."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from argon2 import PasswordHasher
from tests.serve.served import Site, write_site

from stead.serve.identity import passwords


@pytest.fixture(scope="session", autouse=True)
def _cheap_hashes() -> Iterator[None]:
    """A password of these tests is worth no 64 MiB and no tenth of a second."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(passwords, "_hasher", PasswordHasher(time_cost=1, memory_cost=64, parallelism=1))
        yield


@pytest.fixture
def own_site(tmp_path: Path) -> Iterator[Site]:
    found = Site(write_site(tmp_path))
    yield found
    found.close()


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    found = Site(write_site(tmp_path_factory.mktemp("site")))
    yield found
    found.close()
