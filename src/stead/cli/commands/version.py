"""Print versions: of Stead, Python, Ansible and libraries.

stead --version      one line, quickly
stead version        all
stead version --json
"""

from __future__ import annotations

import argparse
import json
import platform

from stead import __version__

OTHERS = ("ansible-core", "ansible-runner", "PyYAML", "Jinja2", "numpy", "psycopg")


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="print JSON, for programs")


def run(options: argparse.Namespace) -> int:
    found = versions()
    if options.json:
        print(json.dumps(found, indent=1))
    else:
        print("\n".join(f"{name} {version or '(not installed)'}" for name, version in found.items()))
    return 0


def versions() -> dict[str, str | None]:
    from importlib import metadata  # 30 ms

    found: dict[str, str | None] = {"stead": __version__, "python": platform.python_version()}
    for name in OTHERS:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            found[name] = None
    return found
