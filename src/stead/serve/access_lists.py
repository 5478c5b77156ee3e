"""What an admin made by the API for some projects alone: who may use it, and who is on its list."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from stead.core.named import NamedTuple
from stead.serve.faults import bad, conflict, not_found
from stead.serve.routes import NAME, Call, record

Made = Mapping[str, Any]


class AccessList(NamedTuple):
    """In the words of one service."""

    kind: str  # among what the store keeps beside people
    noun: str
    key: str  # what it calls a project

    @property
    def adds(self) -> str:
        return f"add{self.key.capitalize()}Access"

    @property
    def schema(self) -> dict[str, Any]:
        actions = (self.adds, f"remove{self.key.capitalize()}Access")
        body = {one: record([self.key], **{self.key: NAME}) for one in actions}
        return record(**body) | {"minProperties": 1, "maxProperties": 1}

    def usable(self, call: Call) -> Iterator[tuple[str, Made]]:
        """Those that the caller's project may use; an admin, all."""
        for name, one in call.people.of_kind(self.kind):
            if call.caller.admin or one["public"] or call.caller.project in one["projects"]:
                yield name, one

    def projects(self, call: Call, name: str, one: Made) -> list[str]:
        """The ids of those on the list."""
        if one["public"]:
            raise not_found(f"Access list of the public {self.noun}", name)
        return [call.world.project_id(each) for each in one["projects"]]

    def change(self, call: Call, name: str, one: Made) -> Made:
        """As the action says that is asked for."""
        action, said = next(iter(call.body.items()))
        if action not in self.schema["properties"]:
            raise bad(f"An action of a {self.noun} is {' or '.join(self.schema['properties'])}.")
        adds, project = action == self.adds, call.world.project(said[self.key])
        if project is None:
            raise bad(f"Project {said[self.key][:80]} could not be found.")
        if one["public"]:
            raise conflict(f"A public {self.noun} has no list of projects: all may use it.")
        if adds == (project in one["projects"]):
            text = f"Access of {self.noun} {name[:80]} for project {said[self.key][:80]}"
            raise conflict(f"{text} already exists.") if adds else not_found(text)
        others = [each for each in one["projects"] if each != project]
        after = {**one, "projects": [*others, project] if adds else others}
        call.people.write({(self.kind, name): after})
        return after
