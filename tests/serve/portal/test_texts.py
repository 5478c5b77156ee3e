"""Every text of the portal is in every language, and no language has more."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from stead.serve.portal.instances import ACTIONS
from stead.serve.portal.making import FORMS
from stead.serve.portal.meters import METERS
from stead.serve.portal.pages import NAVIGATION
from stead.serve.portal.resources import PAGES
from stead.serve.portal.statics import FOLDER, assets
from stead.serve.portal.texts import ENGLISH, language_of, languages, say_in

PORTAL = Path(__file__).parents[3] / "src" / "stead" / "serve" / "portal"
# Of the tables and facts of single things.
FACTS = {"MTU", "Description", "Subnet", "Gateway", "Network", "Address", "Direction", "Protocol", "Ports", "Remote"}
FACTS |= {"Created", "Instance", "Device", "Minimum disk", "Minimum memory", "Public key"}
SAID = re.compile(r"""\b_\((?:"([^"]+)"|'([^']+)')""")


def written() -> set[str]:
    found = {one or other for path in PORTAL.rglob("*.html") for one, other in SAID.findall(path.read_text())}
    found |= {text for text, _, _ in ACTIONS.values()} | {name for _, _, name, _ in METERS}
    found |= {text for kind in PAGES for text in (kind.title, *kind.headings)} | FACTS
    found |= {text for form in FORMS for text in (form.title, *(one.label for one in form.fields))}
    return found | {*NAVIGATION} | {one.text for links in NAVIGATION.values() for one in links}


@pytest.mark.parametrize("language", [one for one in languages() if one != ENGLISH])
def test_a_language_has_every_text(language: str) -> None:
    assert sorted(written() - {*languages()[language]}) == []
    assert sorted({*languages()[language]} - written()) == []


@pytest.mark.parametrize("language", languages())
def test_places_of_values_are_the_same_in_every_language(language: str) -> None:
    for text, said in languages()[language].items():
        assert sorted(re.findall(r"\{\w+\}", text)) == sorted(re.findall(r"\{\w+\}", said)), text


def test_the_reader_s_language_is_taken() -> None:
    assert language_of("", "ko-KR,ko;q=0.9,en;q=0.8") == "ko"
    assert language_of("en", "ko-KR") == "en"
    assert language_of("../etc", "xx") == ENGLISH
    assert say_in("ko")("Instances") == "인스턴스"


def test_what_others_made_has_its_licence_beside_it() -> None:
    others = {path.name for path in FOLDER.iterdir() if path.suffix in (".js", ".css")} - {
        "portal.css",
        "portal.js",
        "theme.js",
        "console.js",
        "screen.js",
    }
    told = (FOLDER / "LICENSES.md").read_text()
    assert {name for name in others if name not in told} == set()
    assert assets()["portal.css"][0].startswith(b"\n:root{")
