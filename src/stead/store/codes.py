"""What can be wrong with a store. Never one code for two causes: each is mended in its own way."""

from __future__ import annotations

from typing import NoReturn

from stead.core.diagnostics import Code, Refused

MISSING = Code("STEAD-S001", "the store is missing")
EMPTY = Code("STEAD-S002", "the store is empty")
DAMAGED = Code("STEAD-S003", "the store is damaged")
FOREIGN = Code("STEAD-S004", "this is not a store of Stead")
OTHER_SITE = Code("STEAD-S005", "this is the store of another site")
NEWER = Code("STEAD-S006", "the store was written by a newer Stead")
WRONG_KEY = Code("STEAD-S007", "the store's key does not fit")
KEY_NEEDED = Code("STEAD-S008", "the store is encrypted and no key is given")
UNREACHABLE = Code("STEAD-S009", "the store cannot be opened")
LOCKED = Code("STEAD-S010", "another apply is running")
LOCK_LOST = Code("STEAD-S011", "the lock was lost")
NO_LOCK = Code("STEAD-S012", "nothing is locked")
NO_DRIVER = Code("STEAD-S013", "PostgreSQL's driver is not installed")
NO_STORE = Code("STEAD-S014", "there is no store yet")
UNKNOWN_ADDRESS = Code("STEAD-S015", "the store does not know this address")
TAKEN_ADDRESS = Code("STEAD-S016", "the store knows this address already")
UNKNOWN_RUN = Code("STEAD-S017", "there is no such run")
BAD_LOCATION = Code("STEAD-S021", "invalid location of a store")
NOT_EMPTY = Code("STEAD-S020", "there is a store already")
MOVED = Code("STEAD-S019", "the store has moved")
UNKNOWN_REVIEW = Code("STEAD-S039", "there is no such review")
DECIDED = Code("STEAD-S040", "the review is in another state")
OVERTAKEN = Code("STEAD-S036", "the document has changed")


def refuse(code: Code, detail: str, *, address: str = "") -> NoReturn:
    raise Refused(code.at(None, detail, address=address))
