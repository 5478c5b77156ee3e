"""What is skipped for want of a tool fails in CI, where every tool has to be: a test that does not run shows nothing.

Property tests try the same examples wherever CI runs, so that a run says something of the change and not of luck.

A person's runs are random and may find more: what they find becomes an `@example`.
"""

from __future__ import annotations

import os
from collections.abc import Generator

import pytest
from hypothesis import HealthCheck, settings

# How long an example takes to make says how busy the machine is, and nothing of the code.
TIMELESS = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("ci", TIMELESS, derandomize=True)
settings.register_profile("here", TIMELESS)
settings.load_profile("ci" if os.environ.get("CI") else "here")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Real hosts first: their files take minutes each, and would leave one of two workers idle in the end."""
    items.sort(key=lambda one: one.get_closest_marker("lab") is None)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if report.skipped and os.environ.get("CI") and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        report.longrepr = f"skipped, which CI does not allow: {report.longrepr}"
    return report
