"""One served site for the tests of a file."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.serve.served import Site, write_site


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
