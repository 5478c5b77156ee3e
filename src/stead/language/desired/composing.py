"""Which definitions there are, and of what: `when` leaves out, `profile` brings fields that several share.

A profile's fields are read as if they stood in the definition. Maps are merged key by key, anything else is replaced,
and null takes away, as in a JSON Merge Patch (RFC 7396). Names and variables in them are those of the definition.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Final

from stead.core.address import Address
from stead.core.diagnostics import Code, Diagnostic, Place
from stead.core.fields import Secret
from stead.core.named import NamedTuple
from stead.core.value import replace
from stead.language import document
from stead.language.desired.scope import BlockScope
from stead.language.document import Literal, Node, Scalar
from stead.language.expressions import BoundExceeded, names_used
from stead.language.reading import MISSING, OUT_OF_RANGE, UNKNOWN_FIELD, WRONG_TYPE, Reading, nearest, read_model
from stead.language.reading.codes import SHOWN
from stead.language.reading.context import kind_of
from stead.language.reading.readers import FAILED
from stead.language.spec import Definition, Spec, VariableScope
from stead.language.spec.model import Profile, When
from stead.language.spec.settings import COMPOSED, PROFILE, Composed

NO_PROFILE = Code("STEAD-R006", "no such profile")
# As many as a document may have: a large profile of many definitions is as large as all of these.
MOST: Final = 5_000_000
_WHOLE = (
    "`when` is for the whole definition, so it cannot use {}. To leave out members, leave them out of `for_each` or "
    "`count`."
)


class Defaults(NamedTuple):
    """Which profile of the site's every definition of a kind has."""

    profiles: Mapping[str, str]
    kinds: Iterable[str]


class Composing:
    """Of one spec. What is wrong with it is collected in `found`."""

    def __init__(
        self, spec: Spec, scope: Callable[[VariableScope], BlockScope], defaults: Defaults, *, alone: bool
    ) -> None:
        self._spec, self._scope, self._alone = spec, scope, alone
        self._held: dict[tuple[int, int], bool] = {}
        self._sizes: dict[int, int] = {}
        self._room = MOST
        self.found: list[Diagnostic] = []
        self.absent: dict[Address, Place] = {}  # and where the `when` stands that leaves it out
        self._defaults = dict(self._of_site(defaults))

    def definitions(self) -> Iterator[Definition]:
        for one in self._spec.definitions:
            said = one.node.child("when")
            around = one.environment.conditions
            false = self._false(around if said is None else (*around, When(said, one.environment)))
            if false is not None:
                self.absent[Address(one.project, one.kind, one.name)] = false.node.place
            elif isinstance(one.node, document.Mapping) and (
                one.kind in self._defaults or COMPOSED & one.node.entries.keys()
            ):
                yield self._composed(one, one.node)
            elif isinstance(one.node, Scalar) and _is_profile(one.node):
                yield self._composed(one, _of_profile(one.node))
            else:
                yield one

    def there(self, environment: VariableScope) -> bool:
        return self._false(environment.conditions) is None

    def _false(self, conditions: Iterable[When]) -> When | None:
        return next((one for one in conditions if not self._holds(one)), None)

    def _holds(self, condition: When) -> bool:
        key = (id(condition.node), id(condition.environment))
        if key not in self._held:
            reading = Reading(self._scope(condition.environment))
            self._held[key] = holds(condition.node, reading)
            self.found += reading.found
        return self._held[key]

    def _composed(self, one: Definition, own: document.Mapping) -> Definition:
        address = str(Address(one.project, one.kind, one.name))
        reading = Reading(self._scope(one.environment), address)
        said = read_model(Composed, own.only({"profile"}), reading)
        self.found += reading.found
        names = () if said is FAILED else (said.profile,) if isinstance(said.profile, str) else said.profile
        profiles = [self._profile(name, one, address) for name in names]
        below = [self._defaults[one.kind]] if one.kind in self._defaults else []
        there = self._within_bounds((*below, *(each for each in profiles if each is not None)), one, address)
        node = document.Mapping(own.file, own.line, own.column)
        for each in (*(profile.node for profile in there), own.without(COMPOSED)):
            node = merged(node, each)
        complete = said is not FAILED and None not in profiles
        return replace(one, node=node, profiles=there, complete=complete)

    def _within_bounds(self, profiles: tuple[Profile, ...], one: Definition, address: str) -> tuple[Profile, ...]:
        before = self._room
        for each in profiles:
            key = id(each.node)
            if key not in self._sizes:
                self._sizes[key] = sum(1 for _ in _places(each.node))
            self._room -= self._sizes[key]
        if self._room >= 0:
            return profiles
        if before >= 0:
            text = f"With their profiles, all definitions have more than {MOST:,} values. Make the profiles smaller."
            self.found.append(OUT_OF_RANGE.at(one.node.place_of("profile"), text, address=address))
        return ()

    def _of_site(self, defaults: Defaults) -> Iterator[tuple[str, Profile]]:
        """Those that are below all others. They are the site's own: a project's people say nothing for others."""
        known = {name: one for (project, name), one in self._spec.profiles.items() if not project}
        for kind, name in defaults.profiles.items():
            place = self._spec.site.place_of(f"defaults.{kind}") if self._spec.site is not None else None
            profile = known.get(name)
            if kind not in defaults.kinds:
                text = f"There is no kind {kind!r}.{nearest(kind, defaults.kinds)}"
                self.found.append(UNKNOWN_FIELD.at(place, text))
            elif profile is None or profile.project_file:
                text = f"The site has no profile {name!r}.{nearest(name, known)} Write it under `profiles` at the top."
                self.found.append(NO_PROFILE.at(place, text))
            else:
                yield kind, profile

    def _profile(self, name: str, one: Definition, address: str) -> Profile | None:
        """The same part first, then the project, then the site. The site's files use none of a project's people."""
        profiles = self._spec.profiles
        for key in ((one.project, one.environment.prefix + name), (one.project, name), ("", name)):
            if key in profiles and (one.environment.project_file or not profiles[key].project_file):
                return profiles[key]
        if not self._alone:
            text = f"There is no profile {name!r} in this project or at the site.{self._instead(name, one)}"
            self.found.append(NO_PROFILE.at(one.node.place_of("profile"), text, address=address))
        return None

    def _instead(self, name: str, one: Definition) -> str:
        if "/" in name:
            return " `stead image lock` writes the profiles of the catalogue's images."
        own = ("", one.project)
        profiles = self._spec.profiles.items()
        known = sorted(word for (at, word), each in profiles if at in own and not each.project_file)
        listed = f" There are {', '.join(known[:8])}." if known else " There are none: write `profiles`."
        return nearest(name, known) or listed


def _is_profile(node: Scalar) -> bool:
    """The API's documents name none."""
    if isinstance(node, Literal):
        return False
    return isinstance(node.value, str) and re.fullmatch(PROFILE.pattern, node.text) is not None


def _of_profile(name: Scalar) -> document.Mapping:
    """A definition that is a name alone has the fields of that profile."""
    made = document.Mapping(name.file, name.line, name.column)
    made.entries["profile"] = name
    return made


def is_there(node: Node, reading: Reading) -> bool:
    """Whether what is written there counts, by its own `when`."""
    said = node.child("when")
    return said is None or holds(said, reading)


def holds(node: Node, reading: Reading) -> bool:
    """What a `when` comes to. One that is wrong leaves nothing out: its mistake is told, and no plan is made."""
    if isinstance(node, Scalar) and node.computes and (members := _members(node)):
        reading.tell(WRONG_TYPE, node.place, _WHOLE.format(members))
        return True
    value = reading.early(node)
    if isinstance(value, Secret):
        reading.tell(SHOWN, node.place, "A secret decides whether it is there, which everybody sees.")
    elif value is not None and not (isinstance(value, Scalar) and isinstance(value.value, bool)):
        text = f"This is {kind_of(value)}; `when` must come to true or false, such as {{{{ vars.stage == 'live' }}}}."
        reading.tell(WRONG_TYPE, node.place, text)
    return not (isinstance(value, Scalar) and value.value is False)


def _members(node: Scalar) -> str:
    try:
        return " and ".join(sorted(names_used(node.text) & {"each", "index"}))
    except BoundExceeded:
        return ""  # the reader tells why


def merged(below: document.Mapping, above: document.Mapping) -> document.Mapping:
    """What is `above` wins. It stands where that stands; each of its values stands where it was written."""
    made = document.Mapping(above.file, above.line, above.column)
    for source in (below, above):
        for word, node in source.entries.items():
            first = made.entries.get(word)
            if isinstance(first, document.Mapping) and isinstance(node, document.Mapping):
                made.entries[word] = merged(first, node)
            elif first is not None and isinstance(node, Scalar) and node.plain and node.value is None:
                del made.entries[word]
            else:
                made.entries[word] = node
            made.keys[word] = source.place_of_key(word)
    return made


def told_of(found: Iterable[Diagnostic], one: Definition) -> list[Diagnostic]:
    """Without what only a profile that is not at hand could mend; and a mistake in a profile, where it is made."""
    known = [each for each in found if one.complete or each.code != MISSING.id]
    if not known or not one.profiles:
        return known
    places = {place: profile.name for profile in one.profiles for place in _places(profile.node)}
    address = Address(one.project, one.kind, one.name)
    return [
        replace(each, detail=f"{each.detail}\nIt stands in the profile {places[each.place]!r}, which {address} uses.")
        if each.place in places
        else each
        for each in known
    ]


def _places(node: Node) -> Iterator[Place]:
    yield node.place
    match node:
        case document.Mapping():
            for word, below in node.entries.items():
                yield node.place_of_key(word)
                yield from _places(below)
        case document.Sequence():
            for item in node.items:
                yield from _places(item)
        case _:
            pass
