"""The section `site.review`: what an approval of a plan must be."""

from __future__ import annotations

from typing import Annotated

from stead.core.fields import Duration
from stead.core.value import value


@value
class ReviewSettings:
    """Rules for plans that are submitted for review."""

    two_persons: Annotated[
        bool, "Nobody approves a plan that they submitted. Plans are then approved in the portal, which knows who it is"
    ] = False
    valid: Annotated[int, Duration(), "How long after its approval a plan may be applied"] = 24 * 3600
