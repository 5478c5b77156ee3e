"""The page of routes is that of the tables."""

from __future__ import annotations

import runpy
from collections import Counter
from pathlib import Path

from stead.serve.identity import federation
from stead.serve.routes import AccessPolicy
from stead.serve.services import SERVICES

ROOT = Path(__file__).parents[2]


def test_the_page_of_routes_is_that_of_the_tables() -> None:
    """`scripts/generate` writes it."""
    made = runpy.run_path(str(ROOT / "scripts" / "api_page.py"))["page"]()
    assert made == (ROOT / "docs" / "api-routes.md").read_text()


def test_no_route_is_written_twice() -> None:
    routes = [(one.method, one.path) for service in SERVICES for one in service.routes]
    routes += [(method, path) for service in SERVICES for method, path, _ in service.unbuilt]
    assert [one for one, times in Counter(routes).items() if times > 1] == []


def test_what_is_public_is_versions_and_logging_in() -> None:
    public = {one.path for service in SERVICES for one in service.routes if one.policy is AccessPolicy.PUBLIC}
    assert all(path.count("/") <= 2 or path in ("/identity/v3/auth/tokens", federation.PATH) for path in public)
