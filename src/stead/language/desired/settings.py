"""The settings of one definition: what stands beside a kind's own fields, and is read alike of every kind."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from stead.core.address import Address, parse
from stead.core.diagnostics import Diagnostic, Place
from stead.core.value import replace, value
from stead.language import document
from stead.language.desired import trust
from stead.language.desired.ignoring import ignores_nothing, rolls_nothing
from stead.language.desired.model import Hook, Rollout, Settings, Site
from stead.language.desired.renames import UNKNOWN_ADDRESS
from stead.language.desired.scope import BlockScope, Names
from stead.language.reading import Reading, nearest, read_model
from stead.language.reading.readers import FAILED
from stead.language.spec import Definition, Spec, VariableScope
from stead.language.spec.grants import NOTHING, Grants
from stead.language.spec.settings import SETTINGS, Common, InBatches, PlaybookHook


@value
class SettingsReader:
    """Of any definition of a spec, for all of which the same is known."""

    spec: Spec
    site: Site
    grants: Mapping[str, Grants]
    names: Names
    absent: Mapping[Address, Place]  # what its `when` leaves out
    alone: bool

    def read(self, one: Definition, address: Address, scope: BlockScope) -> tuple[Settings | None, list[Diagnostic]]:
        node = one.node
        if not isinstance(node, document.Mapping) or not SETTINGS & node.entries.keys():
            return _PLAIN, []
        reading = Reading(scope, str(address))
        common: Common = read_model(Common, node.only(SETTINGS), reading)
        found = reading.found
        if common is FAILED:
            return None, found
        found += rolls_nothing(common.rollout, one)
        found += ignores_nothing(common.ignore, self.spec.kinds[one.kind], one)
        depends = [self._depends(text, index, one, found) for index, text in enumerate(common.depends_on)]
        settings = Settings(
            labels=common.labels,
            display_name=common.display_name,
            tags=common.tags,
            protect=common.protect,
            ignore=common.ignore,
            depends_on=tuple(found for found in depends if found is not None),
            replace_when=common.replace_when,
            create_before_destroy=common.create_before_destroy,
            rollout=_rollout(common.rollout),
            hooks=self._hooks(common, one, found),
        )
        return settings, found

    def _hooks(self, common: Common, one: Definition, found: list[Diagnostic]) -> tuple[Hook, ...]:
        if not one.environment.project_file:
            return tuple(_hook(playbook, one.node.place_of("hooks").file) for playbook in common.hooks)
        file = self.spec.site.file if self.spec.site is not None else ""
        told: list[Diagnostic] = []
        offer = (self.site, file, self.grants.get(one.project, NOTHING))
        hooks = trust.hooks_of(common, one.node, one.project, offer, told, alone=self.alone)
        found += [replace(each, address=_named(one)) for each in told]
        return hooks

    def _depends(self, text: str, index: int, one: Definition, found: list[Diagnostic]) -> Address | None:
        """`instances/db` in the same part, project or site, or a whole address."""
        meant = list(self._meant(text, one.environment))
        address = next(filter(self._is_there, meant), None)
        if address is None and any(each.block in self.absent for each in meant):
            return None  # what its `when` leaves out, nothing has to wait for
        if address is None and self.alone and ((parsed := parse(text)) is None or not parsed.project):
            return None  # it may be the site's
        if address is None:
            own = ("", one.project)
            known = [f"{kind}/{name}" for (at, kind), names in self.names.items() if at in own for name in names]
            text = f"{text!r} names nothing. Write kind/name, such as instances/db.{nearest(text, known)}"
            found.append(UNKNOWN_ADDRESS.at(one.node.place_of(f"depends_on.{index}"), text, address=_named(one)))
        return address

    def _meant(self, text: str, environment: VariableScope) -> Iterator[Address]:
        parsed = parse(text)
        if parsed is None or (environment.project_file and parsed.project not in ("", environment.project)):
            return
        projects: Iterable[str] = (parsed.project,) if parsed.project else dict.fromkeys((environment.project, ""))
        for project in projects:
            for name in dict.fromkeys((environment.prefix + parsed.name, parsed.name)):
                yield parsed._replace(project=project, name=name)

    def _is_there(self, address: Address) -> bool:
        known = self.names.get((address.project, address.kind), {})
        keys = known.get(address.name)
        return address.name in known and (address.key is None or (keys is not None and address.key in keys))


def _named(one: Definition) -> str:
    return str(Address(one.project, one.kind, one.name))


def _hook(playbook: PlaybookHook, file: str) -> Hook:
    """Its file is named as seen from the file that names it; from here on as the spec's own files are."""
    path = trust.beside(playbook.playbook, file)
    return Hook(playbook=path, when=playbook.when, actions=frozenset(playbook.actions), variables=playbook.vars)


def _rollout(asked: InBatches | None) -> Rollout | None:
    if asked is None:
        return None
    return Rollout(at_once=asked.at_once, wait=asked.wait, stop_on_failure=asked.stop_on_failure)


_PLAIN = Settings()
