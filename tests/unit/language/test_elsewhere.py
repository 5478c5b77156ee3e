"""Words of other tools lead to fields that there are."""

from __future__ import annotations

import pytest

from stead.kinds import kinds
from stead.language.reading.elsewhere import SYNONYMS, meant


@pytest.mark.parametrize("word", SYNONYMS)
def test_a_word_of_another_tool_leads_to_a_field(word: str) -> None:
    assert any(meant(kind.model, word) for kind in kinds().values())
