"""The one way in which host code fails on purpose: with a sentence for people."""

from __future__ import annotations


class Failed(Exception):  # noqa: N818 - names what happened
    """A step cannot be done. The text says what is wrong and, where it can, how to mend it."""
