"""What is installed is what was looked at: every version is pinned, and every file has its digest."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
LOCKS = ("requirements.lock", "requirements-run.lock")


def locked(name: str) -> Mapping[str, tuple[str, frozenset[str]]]:
    """Version and digests, by package."""
    found = {}
    text = (ROOT / name).read_text().replace("\\\n", " ")
    for line in filter(None, text.splitlines()):
        package, version = re.match(r"([a-z0-9-]+)==(\S+)", line).groups()  # type: ignore[union-attr]
        found[package] = (version, frozenset(re.findall(r"--hash=(sha256:[0-9a-f]{64})", line)))
    return found


@pytest.mark.parametrize("name", LOCKS)
def test_every_package_has_a_version_and_digests(name: str) -> None:
    packages = locked(name)
    assert {"ansible-core", "hatchling", "pyyaml"} <= packages.keys()
    assert all(version and digests for version, digests in packages.values())


def test_what_runs_is_what_is_developed_with() -> None:
    developed, runs = map(locked, LOCKS)
    assert runs.items() <= developed.items()
