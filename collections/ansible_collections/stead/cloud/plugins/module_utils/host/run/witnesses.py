"""Decides from the answers of other hosts what a booting host holds back. Pure: simulated hosts use it too."""

from __future__ import annotations

from typing import Any, Dict, Mapping, Optional

EVERYTHING = 1 << 62  # more than any serial: all is held back
Answer = Optional[Dict[str, Any]]  # of a host: its site, and whom it heard called dead; nothing of one that is silent


def judged(answers: Mapping[str, Answer], me: str, site: str) -> Optional[int]:
    """What to hold back, by the words of each other host (None of one that is silent); None while too few answered.

    A host that is silent and was called dead has no vote: whoever heard that of it heard all that was said before.
    """
    heard = {
        name: words["dead"] if words["site"] == site else {} for name, words in answers.items() if words is not None
    }
    dead = {name for words in heard.values() for name in words}
    voters = [name for name in answers if name in heard or name not in dead]
    if 2 * len(heard) <= len(voters):
        return None
    return max([words[me] for words in heard.values() if me in words], default=0)
