"""A plan as text, Markdown, HTML or JSON: four views of one value, all made from the same folded entries.

Rendering decides nothing and knows no kind by its code; it may not look at the store, the hosts or the clock.
"""

from __future__ import annotations

from stead.core.value import value
from stead.plan.model import Plan
from stead.plan.render.paint import Paint, plain

FORMATS = ("text", "json", "markdown", "html")


@value
class Style:
    """How much to show, and in which colours."""

    verbose: bool = False
    width: int = 110
    paint: Paint = plain
    title: str = "Plan"


DEFAULT = Style()


def render(plan: Plan, form: str, style: Style = DEFAULT) -> str:
    """`form` is one of FORMATS. Each view is imported only when it is asked for."""
    match form:
        case "json":
            from stead.plan.render.data import to_json

            return to_json(plan, verbose=style.verbose)
        case "markdown":
            from stead.plan.render.markdown import to_markdown

            return to_markdown(plan, title=style.title)
        case "html":
            from stead.plan.render.html import to_html

            return to_html(plan, title=style.title)
        case _:
            from stead.plan.render.text import to_text

            return to_text(plan, style)
