"""JSON, Markdown and HTML: each is what it claims to be, and none says less than the text of what disturbs whom."""

from __future__ import annotations

import json
from html.parser import HTMLParser
from pathlib import Path
from typing import ClassVar
from xml.dom import minidom

import jsonschema
import pytest
from tests.unit.render.plans import keep, one_of_each, plan, step

from stead.core.effect import Action, Disruption
from stead.diff.model import FieldChange
from stead.plan.render import Style, render
from stead.plan.render.data import SCHEMA, to_data
from stead.plan.render.html import ENTRIES, to_html
from stead.plan.render.markdown import LONGEST, to_markdown

SCHEMAS = Path(__file__).parent.parent.parent.parent / "schemas"


def test_the_schema_on_disk_is_the_schema_of_the_code() -> None:
    """When stale: `python -m stead.plan.render.data > schemas/plan.json`."""
    assert json.loads((SCHEMAS / "plan.json").read_text()) == json.loads(json.dumps(SCHEMA))


@pytest.mark.parametrize("verbose", [False, True])
def test_json_fits_its_schema(verbose: bool) -> None:
    data = json.loads(render(one_of_each(), "json", Style(verbose=verbose)))
    jsonschema.validate(data, SCHEMA, cls=jsonschema.Draft202012Validator)
    assert [one["action"] for one in data["steps"]].count("destroy") == 2
    assert data["summary"]["worst"] == "data-loss"
    assert ("want" in data["steps"][0]) is verbose


def test_the_schema_refuses_what_is_no_plan() -> None:
    data = to_data(one_of_each())
    data["steps"][0]["action"] = "explode"
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(data, SCHEMA, cls=jsonschema.Draft202012Validator)


@pytest.mark.parametrize("form", ["text", "json", "markdown", "html"])
def test_every_format_carries_every_reason(form: str) -> None:
    told = render(one_of_each(), form)
    reasons = {reason for one in one_of_each().steps for reason in one.reasons}
    assert len(reasons) > 4
    for reason in reasons:
        assert reason.code in told
        assert reason.text in told


@pytest.mark.parametrize("form", ["text", "json", "markdown", "html"])
def test_every_format_names_what_is_lost(form: str) -> None:
    assert "everything on volume log" in render(one_of_each(), form)


def test_markdown_fits_a_comment_however_large_the_plan() -> None:
    wide = tuple(FieldChange(f"field{n}", "x" * 60, "y" * 60) for n in range(12))
    steps = [step(f"p{n}/instances/i{m}", Action.UPDATE, changes=wide) for n in range(40) for m in range(40)]
    steps += [
        step(f"q/volumes/v{n}", Action.DESTROY, disturbs=Disruption.DATA_LOSS, loses=f"volume {n}") for n in range(500)
    ]
    told = to_markdown(plan(steps))
    assert 10_000 < len(told) <= LONGEST
    assert "do not fit here" in told
    assert "data-loss (500 steps)" in told


def test_markdown_does_nothing_that_a_value_says() -> None:
    nasty = "~~~~~~~~\n</details><script>alert(1)</script>\n~~~~~~~~~~~~\n@everyone"
    steps = [
        step("acme/instances/a", Action.UPDATE, changes=(FieldChange("x", nasty, nasty + "!"),)),
        step("acme/instances/b", Action.UPDATE, changes=(FieldChange("y", "~~~~~~~~ a", "`b`"),)),
    ]
    told = to_markdown(plan(steps, outputs={"o": "<b>|`"}), title="<i>*x*</i>")
    fences = [line for line in told.splitlines() if line.startswith("~~~~~~~~")]
    assert fences == ["~~~~~~~~diff", "~~~~~~~~"]
    assert "<i>" not in told
    assert "<b>" not in told


class Balanced(HTMLParser):
    """Every element that is opened is closed, in order; nothing is fetched and nothing is run."""

    VOID: ClassVar[set[str]] = {"meta", "br"}

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.add(tag)
        assert not {name for name, _ in attrs} & {"src", "onclick", "onload"}
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in self.VOID:
            self.handle_endtag(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def parsed(page: str) -> Balanced:
    parser = Balanced()
    parser.feed(page)
    parser.close()
    assert not parser.open
    return parser


def drawn() -> str:
    return to_html(
        plan(
            [step("acme/instances/web[0]"), step("acme/networks/app"), step("acme/routers/edge", host="network-1")],
            keeps=[
                keep("acme/instances/web[0]", refs="acme/networks/app"),
                keep("acme/routers/edge", "network-1", refs="acme/networks/app"),
            ],
        )
    )


def test_html_is_whole_and_stands_alone() -> None:
    seen = parsed(drawn()).seen | parsed(to_html(one_of_each())).seen
    assert "svg" in seen
    assert not seen & {"script", "link", "img", "iframe"}


def test_html_draws_hosts_networks_routers_and_instances() -> None:
    page = drawn()
    for name in ("acme/instances/web (1)", "acme/networks/app (1)", "acme/routers/edge (1)", "network-1", "compute-1"):
        assert name in page
    assert page.count('class="st-edge"') == 2


def test_drawings_are_well_formed_xml() -> None:
    page = drawn()
    drawings = [part.partition("</svg>")[0] + "</svg>" for part in page.split("<svg")[1:]]
    assert len(drawings) == 2
    for one in drawings:
        minidom.parseString("<svg" + one)  # noqa: S318 - made here


def test_html_shows_values_and_runs_none() -> None:
    nasty = '"><script>alert(1)</script>'
    page = to_html(plan([step("acme/instances/a", Action.UPDATE, changes=(FieldChange(nasty, nasty, nasty),))]))
    assert "<script>" not in page
    parsed(page)


def test_a_page_stays_one_that_a_browser_opens() -> None:
    steps = [step(f"acme/networks/n{n}") for n in range(2 * ENTRIES)]
    page = to_html(plan(steps))
    assert page.count('class="entry') == ENTRIES
    assert f"… and {ENTRIES:,} more entries" in page
    assert "too many to draw" in page
