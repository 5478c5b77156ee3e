"""`moved` and `forget`: what became of names that are no longer in the spec."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from stead.core.address import Address, order, parse
from stead.core.diagnostics import Code, Diagnostic, Place
from stead.core.kind import Kind, Scope
from stead.language import document
from stead.language.desired.model import Block
from stead.language.desired.trust import forgets, outside_walls
from stead.language.document import Node, Scalar
from stead.language.reading import UNKNOWN_FIELD, nearest
from stead.language.spec.grants import NOTHING, Grants
from stead.language.spec.model import Said

UNKNOWN_ADDRESS = Code("STEAD-R010", "invalid address")
MOVED_WRONG = Code("STEAD-R011", "`moved` must lead from a removed resource to an existing one")
NOT_AGREED = Code("STEAD-G016", "a project would give to another what that has not agreed to")
CANNOT_MOVE = Code("STEAD-R012", "`moved` cannot be followed")


class Renames:
    def __init__(
        self,
        kinds: Mapping[str, Kind],
        by_address: Mapping[Address, Block],
        grants: Mapping[str, Grants],
        *,
        absent: Mapping[Address, Place],
        alone: bool = False,
    ) -> None:
        self.kinds, self.by_address, self.grants, self.alone = kinds, by_address, grants, alone
        self.found: list[Diagnostic] = []
        self._absent = absent
        self._blocks = {str(block.members[0].block) for block in by_address.values()}

    def moved(self, said: Iterable[Said]) -> dict[Address, Address]:
        """Moves may follow each other: from what was called `a` at first, `b` then, and is `c` now."""
        moved: dict[Address, Address] = {}
        places: dict[Address, Place] = {}
        walled: set[Address] = set()
        agreed: dict[tuple[Address, Address], list[Said]] = {}  # from one project to another, by their people
        for one in said:
            for word in set(one.node.entries) - {"from", "to"} if isinstance(one.node, document.Mapping) else ():
                text = f"There is no field {word!r} here: a move has `from` and `to`."
                self.found.append(UNKNOWN_FIELD.at(one.node.place_of(word), text))
            pair = self._pair(one)
            if pair is None or not self._is_agreed(one, *pair, agreed):
                continue
            old, new = pair
            why = self._wrong(old, new, moved)
            if why:
                self.found.append(MOVED_WRONG.at(one.node.place, why))
            else:
                moved[old], places[old] = new, one.node.place
                walled |= {old} if one.project_file else set()
        if not self.alone:
            self.found += [_not_agreed(*pair, *by) for pair, by in agreed.items() if len(by) == 1]
        followed = {old: self._followed(old, moved) for old in moved}
        for old, new in followed.items():
            if new not in self.by_address and not self._is_left_out(new):
                near = "" if old in walled else nearest(str(new), self._blocks)
                text = f"{new} is not in the spec, so it cannot be the target of a move.{near}"
                self.found.append(MOVED_WRONG.at(places[old], text))
        return dict(sorted(((old, new) for old, new in followed.items() if not self._is_left_out(new)), key=_by_old))

    def _pair(self, one: Said) -> tuple[Address, Address] | None:
        """Within its walls, or from or to a project whose people have to say the same."""
        words = [one.node.child(word) for word in ("from", "to")]
        found = [self._parsed(one, node) for node in words]
        old, new = found
        if old is None or new is None:
            return None
        beyond = [self._is_beyond(one, address) for address in found if address is not None]
        if not any(beyond) or (sum(beyond) == 1 and old.project and new.project and self.kinds[old.kind].passes):
            return old, new
        for node, address, is_beyond in zip(words, found, beyond, strict=True):
            if is_beyond and node is not None:
                self.found.append(outside_walls(str(address), one.project, node.place))
        return None

    def _is_agreed(
        self, one: Said, old: Address, new: Address, agreed: dict[tuple[Address, Address], list[Said]]
    ) -> bool:
        """What crosses walls counts once, when the second of the two has said it. Until then nothing is told of it."""
        if not one.project_file or old.project == new.project:
            return True
        by = agreed.setdefault((old, new), [])
        if one.project in [said.project for said in by]:
            return False
        by.append(one)
        return len(by) == 2

    def passed(self, said: Mapping[Address, Address]) -> dict[Address, Address]:
        """By projects of the API. What is there no more is no mistake: nobody takes such entries out."""
        followed = {old: self._followed(old, said) for old in said if old not in self.by_address}
        return {old: new for old, new in followed.items() if new in self.by_address and new.kind == old.kind}

    def _followed(self, old: Address, moved: Mapping[Address, Address]) -> Address:
        target = moved[old]
        for _ in moved:  # a round ends nowhere that is there
            if target in self.by_address or target not in moved:
                break
            target = moved[target]
        return target

    def _wrong(self, old: Address, new: Address, moved: Mapping[Address, Address]) -> str:
        if old.kind != new.kind:
            return f"{old} and {new} are of different kinds. A move cannot change the kind."
        if old in moved:
            return f"{old} is already moved to {moved[old]}. A resource has one name only."
        if new in moved.values():
            first = next(one for one, to in moved.items() if to == new)
            return f"{first} is already moved to {new}. Only one of the two can have this name."
        if self._still_there(old) and new.block != old:
            return f"{old} is still in the spec under its old name. Rename it there, or remove this entry."
        if old == new:
            return f"{old} keeps its name. Remove this entry."
        return ""

    def _is_left_out(self, address: Address) -> bool:
        return address.block in self._absent

    def _still_there(self, address: Address) -> bool:
        return address in self.by_address

    def forgotten(self, said: Iterable[Said]) -> frozenset[Address]:
        forgotten = set()
        for one in said:
            address = self._address(one, one.node)
            if address is None:
                continue
            if one.project_file and not self.grants.get(address.project, NOTHING).forget:
                self.found.append(forgets(address, one.node.place, alone=self.alone))
                continue
            if self._still_there(address):
                text = (
                    f"{address} is still in the spec. Remove its definition: a forgotten resource is no longer managed."
                )
                self.found.append(MOVED_WRONG.at(one.node.place, text))
            else:
                forgotten.add(address)
        return frozenset(forgotten)

    def _is_beyond(self, said: Said, address: Address) -> bool:
        """Whether a project's people name what is not their project's."""
        return said.project_file and (address.project != said.project or self.kinds[address.kind].scope is Scope.SITE)

    def _address(self, said: Said, node: Node | None) -> Address | None:
        found = self._parsed(said, node)
        if found is not None and node is not None and self._is_beyond(said, found):
            self.found.append(outside_walls(str(found), said.project, node.place))
            return None
        return found

    def _parsed(self, said: Said, node: Node | None) -> Address | None:
        """Written in a project, or in a part, it may be short: of that project and that part."""
        text = node.text if isinstance(node, Scalar) else ""
        parsed = parse(text)
        place: Place = node.place if node is not None else said.node.place
        if parsed is None or parsed.kind not in self.kinds:
            self.found.append(UNKNOWN_ADDRESS.at(place, f"{text!r} is not an address, such as instances/web[0]."))
            return None
        if parsed.project or self.kinds[parsed.kind].scope is Scope.SITE:
            return parsed
        return parsed._replace(project=said.project, name=said.prefix + parsed.name)


def _not_agreed(old: Address, new: Address, said: Said) -> Diagnostic:
    other = new.project if said.project == old.project else old.project
    text = (
        f"{old} becomes {new} when the people of both projects say so. Let a file of {other}'s people have the "
        "same entry, or take this one out."
    )
    return NOT_AGREED.at(said.node.place, text)


def _by_old(pair: tuple[Address, Address]) -> tuple[str, str, str, int, str]:
    return order(pair[0])
