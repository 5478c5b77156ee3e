"""Words for what routes do, by which roles of the site's files say what they may: `compute:servers:os-start`.

A word is the service, the path's own words, and the verb or the action. What only an admin may has none: those calls
reach beyond a project.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from typing import Any

from stead.core.diagnostics import Code, Refused
from stead.language.desired.identity import CustomRole
from stead.language.reading.context import nearest
from stead.serve.faults import Fault, forbidden, unauthenticated
from stead.serve.identity.roles import Caller
from stead.serve.routes import AccessPolicy, ApiRoute, Service

NO_WORD = Code("STEAD-C109", "a role may do something that no route does")
VERBS = {"GET": "get", "POST": "create", "PUT": "update", "PATCH": "update", "DELETE": "delete"}
IN_PROJECT = frozenset({AccessPolicy.READER, AccessPolicy.MEMBER, AccessPolicy.MANAGER})
GIVEN = IN_PROJECT | {AccessPolicy.REVIEWER}  # what a role can be given, the last for the whole cloud alone
ACTION = "action"  # the last word of a path whose body names what is done
ALL = "*"


@cache
def word_of(method: str, path: str) -> str:
    """Of a path with actions, all but the action."""
    service, _, *rest = path.strip("/").split("/")
    literal = [one for one in rest if not one.startswith("{")]
    if literal[-1:] == [ACTION]:
        return f"{service}:{'.'.join(literal[:-1])}:"
    return f"{service}:{'.'.join(literal)}:{VERBS[method]}"


def words_of(route: ApiRoute, body: Any) -> list[str]:
    """What a request does; with an action, each that its body names."""
    word = word_of(route.method, route.path)
    if not word.endswith(":"):
        return [word]
    return [f"{word}{one}" for one in body] if isinstance(body, Mapping) else []


def may_begin(granted: frozenset[str], route: ApiRoute) -> bool:
    """Before the body is read, which says the action."""
    if not granted or route.policy not in IN_PROJECT:
        return False
    word = word_of(route.method, route.path)
    return any(fits(one, word) or _is_below(one, word) for one in granted)


def may_do(granted: frozenset[str], route: ApiRoute, body: Any) -> bool:
    if route.policy not in IN_PROJECT:
        return False
    words = words_of(route, body)
    return bool(words) and all(any(fits(one, word) for one in granted) for word in words)


def fits(given: str, word: str) -> bool:
    return given == word or (given.endswith(f":{ALL}") and word.startswith(given.removesuffix(ALL)))


def _is_below(given: str, word: str) -> bool:
    return word.endswith(":") and given.startswith(word)


def every_word(services: Iterable[Service], actions: Mapping[str, Iterable[str]]) -> Iterator[str]:
    for service in services:
        for route in service.routes:
            if route.policy in GIVEN:
                word = word_of(route.method, route.path)
                yield from (f"{word}{one}" for one in actions.get(word, ())) if word.endswith(":") else (word,)


def must_be_words(roles: Mapping[str, CustomRole], known: frozenset[str]) -> None:
    """A typing mistake would take a right away from somebody, and nobody would see it."""
    for name, role in roles.items():
        for one in role.may:
            if not any(fits(one, word) for word in known):
                text = f"The role {name} may {one}, which nothing is.{nearest(one, known)}"
                raise Refused(NO_WORD.at(None, f"{text} docs/api-routes.md has all words."))


def must_be_allowed(caller: Caller, policy: AccessPolicy) -> None:
    if caller.may(policy):
        return
    if caller.token is None:
        raise unauthenticated()
    raise _denied(policy)


def must_be_allowed_to_begin(caller: Caller, route: ApiRoute) -> bool:
    """Whether a role of the site's files alone may allow it, which the body decides."""
    if route.policy is AccessPolicy.REVIEWER:
        _must_be_reviewer(caller, route)
        return False
    if not caller.may(route.policy) and caller.project and may_begin(caller.granted, route):
        return True
    must_be_allowed(caller, route.policy)
    return False


def _must_be_reviewer(caller: Caller, route: ApiRoute) -> None:
    """By the very word: who may read plans may not approve them for that."""
    word = word_of(route.method, route.path)
    if not caller.admin and not any(fits(one, word) for one in caller.granted_everywhere):
        must_be_allowed(caller, AccessPolicy.ADMIN)


def must_be_granted(caller: Caller, route: ApiRoute, body: Any) -> None:
    if not may_do(caller.granted, route, body):
        raise _denied(route.policy)


def _denied(policy: AccessPolicy) -> Fault:
    return forbidden(f"This needs a role that you do not have here: {policy}.")
