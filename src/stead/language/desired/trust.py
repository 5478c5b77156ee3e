"""What project files ask for beyond their project, compared with what the site grants. All of it is told at once.

The kinds say what reaches beyond: fields that are `Granted`, and their `reaches`. Here nothing is known of either.
"""

from __future__ import annotations

import os.path
import re
from collections.abc import Hashable, Iterable, Iterator, Mapping
from functools import cache
from typing import Any, cast, get_args

from stead.core.address import Address
from stead.core.diagnostics import Code, Diagnostic, Place, Severity
from stead.core.fields import Granted
from stead.core.kind import Reach
from stead.core.value import fields_of, is_value, replace
from stead.language.desired.model import Block, Desired, Hook, KeptFacts, Site
from stead.language.document import Node
from stead.language.reading import Reading, ReadingScope, nearest, read_model
from stead.language.reading.models import hint_of, word_of
from stead.language.reading.readers import FAILED, deeper
from stead.language.spec.grants import NOTHING, PATIENCE, Grants, allows, suggested
from stead.language.spec.project_files import NOT_ALONE
from stead.language.spec.settings import Common, PlaybookHook, SiteHook

BEYOND = Code("STEAD-G003", "a project file reaches beyond its project")
WOULD_NEED = Code("STEAD-G004", "a project file needs a grant from the site", Severity.WARNING)
NOBODYS = Code("STEAD-G005", "a grant names an unknown project or network")
HOOK = Code("STEAD-G006", "the site does not offer this hook")

_TEMPLATE = re.compile(r"\{[{%#]")


def read_grants(nodes: Mapping[str, Node], scope: ReadingScope, found: list[Diagnostic]) -> dict[str, Grants]:
    grants: dict[str, Grants] = {}
    for name, node in nodes.items():
        reading = Reading(scope, name)
        read = read_model(Grants, node, reading)
        found += reading.found
        if read is not FAILED:
            grants[name] = read
    return grants


def for_nobody(
    nodes: Mapping[str, Node], grants: Mapping[str, Grants], names: Mapping[tuple[str, str], Any]
) -> Iterator[Diagnostic]:
    """A misspelt name would grant nothing, and nobody would know."""
    projects, networks = names.get(("", "projects"), {}), names.get(("", "networks"), {})
    for name, node in nodes.items():
        if name not in projects:
            yield NOBODYS.at(node.place, f"There is no project {name!r}.{nearest(name, projects)}")
        given = grants.get(name, NOTHING)
        said = [(f"addresses.{one}", one) for one in given.addresses]
        said += [(f"gateways.{at}", one) for at, one in enumerate(given.gateways)]
        for path, one in said:
            if one not in networks:
                yield NOBODYS.at(node.place_of(path), f"The site has no network {one!r}.{nearest(one, networks)}")


def playbooks(desired: Desired, said: Node | None, owned: Mapping[str, str], found: list[Diagnostic]) -> None:
    """A playbook runs on the controller, so none lies where a project's people write."""
    if said is not None:
        for name, hook in (desired.site.hooks or {}).items():
            _playbook(beside(hook.playbook, said.file), said.place_of(f"hooks.{name}.playbook"), owned, found)
    for block in desired.blocks if owned else ():
        for at, one in enumerate(block.settings.hooks if not block.project_file else ()):
            _playbook(one.playbook, block.place(f"hooks.{at}.playbook"), owned, found)


def _playbook(path: str, place: Place, owned: Mapping[str, str], found: list[Diagnostic]) -> None:
    whose = next((project for folder, project in owned.items() if path == folder or path.startswith(f"{folder}/")), "")
    if whose:
        text = f"{path} is owned by the people of {whose}, and would run on the controller. Move it elsewhere."
        found.append(NOT_ALONE.at(place, text))


def beyond(
    desired: Desired, grants: Mapping[str, Grants], kept: Mapping[Block, KeptFacts], *, alone: bool
) -> Iterator[Diagnostic]:
    """`alone`: the site's files are not at hand, so nobody knows what it grants."""
    sources = desired.site.image_sources
    may = {name: replace(given, image_sources=(*given.image_sources, *sources)) for name, given in grants.items()}
    others = replace(NOTHING, image_sources=(*NOTHING.image_sources, *sources))
    for block in desired.blocks:
        if not block.project_file:
            continue
        given = may.get(block.project, others)
        asked = (*_granted(block, kept.get(block)), *_settings(block))
        for one in (*asked, *desired.kinds[block.kind].reaches(block, desired)):
            if not allows(given, one.grant, one.value):
                yield _told(block.project, one, block.place(one.path), str(block.members[0].block), alone=alone)


def _granted(block: Block, facts: KeptFacts | None) -> tuple[Reach, ...]:
    if facts is None:
        return tuple(granted_fields(block.model))
    if facts.granted is None:
        facts.granted = tuple(granted_fields(block.model))
    return facts.granted


def _told(project: str, one: Reach, place: Place, address: str, *, alone: bool) -> Diagnostic:
    text = (
        f"{one.why}. A file of a project's people may not do this without a grant. Remove it, or ask for this "
        f"grant in the site's files: grants: {{{project}: {{{suggested(one.grant, one.value)}}}}}"
    )
    return (WOULD_NEED if alone else BEYOND).at(place, text, address=address)


def granted_fields(model: Any, path: str = "") -> Iterator[Reach]:
    """Fields of a model, and of the records in it, that say what needs a grant."""
    for name, default, note in _looked_at(cast("Hashable", type(model))):
        value = getattr(model, name)
        if note is not None:
            if value not in (None, default, {}):
                yield from _asked(note, value, deeper(path, word_of(name)))
        elif type(value) not in _PLAIN and value:
            for below, records in _records(value, deeper(path, word_of(name))):
                yield from granted_fields(records, below)


# Most values are these, and have no records in them.
_PLAIN = frozenset({str, int, bool, type(None), Address})


@cache
def _looked_at(model: Hashable) -> tuple[tuple[str, Any, Granted | None], ...]:
    """Per field: its name, its default, and the grant that it may need."""
    cls = cast("type", model)
    return tuple((name, one.default, _note(cls, name)) for name, one in fields_of(cls).items())


def _note(model: type, name: str) -> Granted | None:
    return next((note for note in get_args(hint_of(model, name)) if isinstance(note, Granted)), None)


def _records(value: Any, path: str) -> Iterator[tuple[str, Any]]:
    if is_value(type(value)):
        yield path, value
    elif isinstance(value, Mapping):
        yield from ((f"{path}.{key}", one) for key, one in value.items() if is_value(type(one)))
    elif isinstance(value, tuple):
        yield from ((f"{path}.{at}", one) for at, one in enumerate(value) if is_value(type(one)))


def _asked(note: Granted, value: Any, path: str) -> Iterator[Reach]:
    field = path.rpartition(".")[2]
    if isinstance(value, Mapping):
        for key in value:
            yield Reach(note.grant, note.prefix + key, f"{path}.{key}", f"`{field}` asks for {key}")
        return
    asked = True if isinstance(value, bool) else value if isinstance(value, int) else f"{note.prefix}{value}"
    shown = str(value).lower() if isinstance(value, bool) else value
    yield Reach(note.grant, asked, path, f"`{field}` asks for {shown}")


def _settings(block: Block) -> Iterator[Reach]:
    rollout = block.settings.rollout
    if rollout is not None and rollout.wait > PATIENCE:
        yield Reach("longest_wait", rollout.wait, "rollout.wait", "All of an apply would wait that long for a batch")


def hooks_of(
    common: Common, node: Node, project: str, offer: tuple[Site, str, Grants], found: list[Diagnostic], *, alone: bool
) -> tuple[Hook, ...]:
    """Of a project file: each is one of the site's by its name, with values for no variables but those it has."""
    site, file, given = offer
    offered = site.hooks or {}
    made = []
    for at, one in enumerate(common.hooks):
        place = node.place_of(f"hooks.{at}.playbook")
        known = offered.get(one.playbook)
        if known is None and not alone:
            text = (
                f"{one.playbook!r} is not a hook of the site. Playbooks run on the controller, so a project "
                f"file can only name hooks of `site.hooks`.{nearest(one.playbook, offered)}"
            )
            found.append(HOOK.at(place, text))
        elif one.playbook not in given.hooks:
            why = f"The hook {one.playbook} runs on the controller"
            found.append(_told(project, Reach("hooks", one.playbook, "", why), place, "", alone=alone))
        elif known is not None and (wrong := _wrong_variables(one, known)):
            found.append(HOOK.at(node.place_of(f"hooks.{at}.vars"), wrong))
        elif known is not None:
            made.append(_offered(one, known, file))
    return tuple(made)


def _wrong_variables(one: PlaybookHook, known: SiteHook) -> str:
    """Variables of a playbook can be the connection, the interpreter or a template: all of them run something."""
    others = sorted(one.vars.keys() - known.vars.keys())
    if others:
        return f"The hook {one.playbook} takes {', '.join(known.vars) or 'no variables'}, and not {', '.join(others)}."
    if any(_TEMPLATE.search(text) for text in _texts(one.vars)):
        return "A value has {{, {% or {# in it, which Ansible would run on the controller. Write it without."
    return ""


def _texts(value: Any) -> Iterable[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for key, one in value.items():
            yield str(key)
            yield from _texts(one)
    elif isinstance(value, list | tuple):
        for one in value:
            yield from _texts(one)


def _offered(one: PlaybookHook, known: SiteHook, file: str) -> Hook:
    path, variables = beside(known.playbook, file), {**known.vars, **one.vars}
    return Hook(playbook=path, when=one.when, actions=frozenset(one.actions), variables=variables)


def beside(path: str, file: str) -> str:
    """A file that another names, as seen from where that one is seen."""
    return os.path.normpath(os.path.join(os.path.dirname(file), path))  # noqa: PTH118, PTH120


def outside_walls(address: str, project: str, place: Place) -> Diagnostic:
    """An address of somebody else's, where only the project's own may be named."""
    text = f"{address} does not belong to project {project}. A project file names only its own resources."
    return BEYOND.at(place, text)


def forgets(address: Address, place: Place, *, alone: bool) -> Diagnostic:
    why = f"`forget` leaves {address} on its host, where it counts in no quota"
    return _told(address.project, Reach("forget", True, "", why), place, str(address), alone=alone)


__all__ = ["beyond", "forgets", "granted_fields", "hooks_of", "outside_walls", "read_grants"]
