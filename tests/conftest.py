"""Property tests try the same examples wherever CI runs, so that a run says something of the change and not of luck.

A person's runs are random and may find more: what they find becomes an `@example`.
"""

from __future__ import annotations

import os

from hypothesis import settings

settings.register_profile("ci", derandomize=True, deadline=None)
settings.register_profile("here", deadline=None)
settings.load_profile("ci" if os.environ.get("CI") else "here")
