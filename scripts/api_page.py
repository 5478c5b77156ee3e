"""Writes `docs/api-routes.md`: every route of `stead serve` with who may call it, and what is not built."""

from __future__ import annotations

from pathlib import Path

from stead.serve.permissions import GIVEN, word_of
from stead.serve.routes import ApiRoute, Service
from stead.serve.services import SERVICES

HEAD = """# Routes of `stead serve`

Made from the tables of the services by `scripts/generate`. [The API](api.md) says how it is used. What is not in a
table answers 404, or 405 where the path takes other methods. The last column has the word by which
[roles of the site](identity.md#roles-of-the-site) say what they may.
"""


def page() -> str:
    return "\n".join([HEAD, *(part for service in SERVICES for part in parts(service))])


def parts(service: Service) -> list[str]:
    lines = [f"## {service.name.capitalize()}", ""]
    if service.also_at:
        lines += [f"All paths of `{service.endpoint}` are reached under `{service.also_at}` as well.", ""]
    lines += ["| method | path | who may | word for roles |", "| --- | --- | --- | --- |"]
    lines += [f"| {one.method} | `{one.path}` | {one.policy} | {word(one)} |" for one in service.routes]
    if service.unbuilt:
        lines += ["", "Not built yet, and answered with 501:", "", "| method | path | what |", "| --- | --- | --- |"]
        lines += [f"| {method} | `{path}` | {what} |" for method, path, what in service.unbuilt]
    return [*lines, ""]


def word(route: ApiRoute) -> str:
    """What only admins may, and what everybody may, has none."""
    found = word_of(route.method, route.path) if route.policy in GIVEN else ""
    return f"`{found}ACTION`" if found.endswith(":") else f"`{found}`" if found else ""


if __name__ == "__main__":
    (Path(__file__).parents[1] / "docs" / "api-routes.md").write_text(page())
