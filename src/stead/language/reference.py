"""The language reference, a page for each kind, made from the same models that read the spec; and what hosts can do."""

from __future__ import annotations

import dataclasses
import json
import types
import typing
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from stead.core import fields
from stead.core.fields import Example, Expression, Form, Granted, Secret
from stead.core.kind import Kind
from stead.drivers import hypervisor, network, storage
from stead.drivers import object as objects
from stead.language.desired.declared import Declared
from stead.language.desired.exports import ForOthers
from stead.language.desired.generated import Generate
from stead.language.desired.model import Site
from stead.language.desired.results import Condition, Described
from stead.language.matrix import matrix
from stead.language.reading.models import word_of
from stead.language.spec.grants import Grants
from stead.language.spec.quota import quota_model
from stead.language.spec.settings import Common, Composed

_FORMS: dict[type, str] = {
    fields.Size: "size",
    fields.Duration: "duration",
    fields.Milliseconds: "duration",
    fields.Ip: "address",
    fields.Cidr: "network",
    fields.Range: "range of addresses",
    fields.Ports: "port or range",
    fields.Mac: "MAC address",
    fields.Name: "name",
    fields.Path: "file",
    fields.Whole: "number",
    fields.Anything: "anything",
}
_TYPES: dict[Any, str] = {str: "text", int: "number", float: "number", bool: "true or false", Any: "anything"}

_GRANTS = """\
`grants: {acme: {pools: [fast]}}` in the site's files: what files of that project's people may do beyond their project.
They are those that `include: {project: acme, from: tenants/acme}` names. What is left out is refused (STEAD-G003). The
site's own files need no grants. See [security](../security.md).
""".splitlines()
_QUOTA = """\
`quota` of a project, or of the site for projects that do not say: the most that a project may have. What is left out
has no limit. A plan that exceeds a limit is refused (STEAD-Q001).
""".splitlines()
_ABOUT = """\
Made by `scripts/generate` from what drivers say of themselves, which real hosts, simulated hosts and the planner go by;
do not edit. A test calls the host code for each row. `tested on` says where a test has done it with real hosts: in the
lab, in a lab of virtual machines with kernels of their own, or not here.

It is about the code of this version. What a host itself can do (its kernel, its firmware, its programs) it finds out,
and `stead doctor` tells. A plan that needs what is `no` here is refused before any host is touched, also for simulated
hosts.
""".splitlines()


def pages(kinds: Mapping[str, Kind]) -> dict[str, str]:
    """File name to text."""
    made = {f"{plural}.md": page(kind) for plural, kind in kinds.items()}
    made["common.md"] = "\n".join(
        [
            "# Fields of every resource",
            "",
            "Every kind understands these beside its own fields.",
            "",
            *table(Composed),
            *table(Common)[2:],
            *_sections(Common),
            "",
        ]
    )
    made["site.md"] = "\n".join(
        ["# The site", "", "The section `site`: what holds for everything.", "", *table(Site), *_sections(Site), ""]
    )
    made["grants.md"] = "\n".join(["# Grants", "", *_GRANTS, "", *table(Grants), *_sections(Grants), ""])
    made["values.md"] = values_page()
    quota = quota_model(kinds)
    made["quota.md"] = "\n".join(["# Quota", "", *_QUOTA, "", *table(quota), ""])
    made["abilities.md"] = abilities_page()
    index = ["# Language reference", "", "Made from the kinds by `scripts/generate`; do not edit.", ""]
    index += [f"- [{plural}]({plural}.md): {kind.help}" for plural, kind in kinds.items()]
    made["README.md"] = "\n".join([*index, "- [common](common.md): fields of every resource"])
    made["README.md"] += "\n- [site](site.md): the section `site`"
    made["README.md"] += "\n- [grants](grants.md): what project files may do beyond their project"
    made["README.md"] += "\n- [values](values.md): `vars`, `outputs`, `checks` and `exports`"
    made["README.md"] += "\n- [quota](quota.md): what a project may have at most"
    made["README.md"] += "\n- [abilities](abilities.md): what the host code of this version can do\n"
    return made


def page(kind: Kind) -> str:
    counted = " It may have `count` or `for_each`." if kind.counted else ""
    place = {"site": "at the top", "project": "in a project", "either": "at the top or in a project"}[kind.scope]
    lines = [f"# {kind.plural}", "", f"{kind.help} It stands {place}.{counted}", "", *table(kind.model)]
    lines += ["", *_seen(kind)] if kind.seen else []
    return "\n".join([*lines, *_sections(kind.model), "", "And the [fields of every resource](common.md).", ""])


def _seen(kind: Kind) -> Iterator[str]:
    yield from (f"Expressions of late fields, outputs and checks see of one, as `{kind.plural}.NAME.FIELD`:", "")
    yield from ("| field | what it is |", "| --- | --- |")
    for word, text in kind.seen.items():
        yield f"| `{word}` | {text} |"


def _sections(whole: type) -> list[str]:
    """The records in it, each with a table of its own."""
    lines: list[str] = []
    for model in dict.fromkeys(_nested(whole)):
        short = getattr(model, "SHORT", None)
        lines += ["", f"## {model.__name__}", "", (model.__doc__ or "").partition("\n")[0]]
        lines += [f"It may be written as {_shortest(model, short)}.", ""] if short else [""]
        lines += table(model)
    return lines


def _shortest(model: type, short: str) -> str:
    after = getattr(model, "AFTER_COLON", "")
    return f"its `{word_of(short)}` alone" + (f", or as `{word_of(short)}:{after}`" if after else "")


def values_page() -> str:
    lines = ["# Variables, outputs, checks and exports", "", "What may be said of each. `name: value` alone is enough."]
    for word, model in {"vars": Declared, "outputs": Described, "checks": Condition, "exports": ForOthers}.items():
        lines += ["", f"## {word}", "", (model.__doc__ or "").partition("\n")[0], "", *table(model)]
    lines += ["", "## generate", "", (Generate.__doc__ or "").partition("\n")[0], "", *table(Generate)]
    return "\n".join([*lines, ""])


def abilities_page() -> str:
    lines = ["# What hosts can do", "", *_ABOUT]
    lines += ["", "## Instances, by hypervisor", "", *matrix([*hypervisor.all_of_them().values()], hypervisor.FEATURES)]
    lines += ["", "## Networks, by driver", "", *matrix([*network.all_of_them().values()], network.FEATURES)]
    lines += ["", "## Pools, by type", "", *matrix([*storage.all_of_them().values()], storage.FEATURES)]
    lines += ["", "## Object stores, by driver", "", *matrix([*objects.all_of_them().values()], objects.FEATURES)]
    return "\n".join([*lines, ""])


def table(model: type) -> list[str]:
    hints = typing.get_type_hints(model, include_extras=True)
    lines = ["| field | type | default | what it is |", "| --- | --- | --- | --- |"]
    for one in dataclasses.fields(model):
        notes = get_args(hints[one.name])[1:] if get_origin(hints[one.name]) is Annotated else ()
        text = next((note for note in notes if isinstance(note, str)), "")
        example = next((note.value for note in notes if isinstance(note, Example)), None)
        if example is not None:
            text += f". Example: `{json.dumps(example)}`"
        if granted := next((note for note in notes if isinstance(note, Granted)), None):
            text += f". In a project file it needs the grant [{granted.grant}](grants.md)"
        cells = [f"`{word_of(one.name)}`", _type(hints[one.name]), _default(one), text]
        row = " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in cells)
        lines.append(f"| {row} |")
    return lines


def _default(one: dataclasses.Field[Any]) -> str:
    if one.default is dataclasses.MISSING:
        return "required" if one.default_factory is dataclasses.MISSING else ""
    if one.default in (None, "", ()):
        return ""
    return f"`{json.dumps(one.default)}`"


def _type(annotation: Any, form: Form | None = None) -> str:
    origin = get_origin(annotation)
    if origin is Annotated:
        base, *notes = get_args(annotation)
        return _type(base, next((note for note in notes if isinstance(note, Form)), None))
    if isinstance(form, fields.Limits):
        return "[limits](quota.md)"
    if isinstance(form, fields.Ref) and origin is None:
        return f"name of one of [{form.kind}]({form.kind}.md)"
    if origin in (Union, types.UnionType):
        known = [one for one in get_args(annotation) if one not in (type(None), Expression, Secret)]
        return " or ".join(dict.fromkeys(_type(one, form) for one in known))
    if origin is Literal:
        return ", ".join(f"`{one}`" for one in get_args(annotation))
    if origin is tuple:
        return f"list of {_type(get_args(annotation)[0], form)}"
    if origin in (dict, Mapping):
        return f"map of {_type(get_args(annotation)[1], form)}"
    if form is not None and type(form) in _FORMS:
        return _FORMS[type(form)]
    if dataclasses.is_dataclass(annotation) and isinstance(annotation, type):
        return f"[{annotation.__name__}](#{annotation.__name__.lower()})"
    return _TYPES.get(annotation, "text")


def _nested(model: type) -> Iterator[type]:
    for hint in typing.get_type_hints(model, include_extras=True).values():
        yield from _records(hint)


def _records(annotation: Any) -> Iterator[type]:
    if dataclasses.is_dataclass(annotation) and isinstance(annotation, type):
        yield annotation
        yield from _nested(annotation)
    for one in get_args(annotation):
        if not isinstance(one, str | Form | Example):
            yield from _records(one)
