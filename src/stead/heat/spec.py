"""The draft of a spec as text."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from stead.heat.stack import Draft, Written
from stead.heat.values import Value
from stead.heat.writing import block, comment, key, said, scalar_text

ORDER = ("images", "flavors", "keypairs", "networks", "routers", "security_groups", "ports", "volumes", "instances",
         "floating_ips")  # fmt: skip
WIDTH = 118


def text(draft: Draft, origin: str, command: str = "stead import hot") -> str:
    lines = [*comment(f"Made from {origin} by `{command}`."), *_needed(draft)]
    for note in draft.notes:
        lines += comment(note)
    lines.append("stead: 1")
    if draft.variables:
        lines += ["vars:", *_entries(draft.variables, "  ", spread=True)]
    for (project, kind), entries in _sorted(draft):
        if not project and kind != "projects" and entries:
            lines += [f"{kind}:", *_entries(entries, "  ")]
    lines += ["projects:"]
    for name, entry in draft.sections["", "projects"].items():
        lines += _project(draft, name, entry)
    if draft.outputs:
        lines += ["outputs:", *_entries(draft.outputs, "  ", spread=True)]
    return "\n".join(lines) + "\n"


def _needed(draft: Draft) -> Iterator[str]:
    """What the template takes for granted."""
    own = {(kind, key) for (_, kind), entries in draft.sections.items() for key in entries}
    words = []
    for kind in sorted(draft.needs):
        missing = [_name(one) for one in draft.needs[kind] if (kind, one) not in own]
        if missing:
            words.append(f"{kind.replace('_', ' ')} {', '.join(missing)}")
    if words:
        yield from comment(f"The site, or other files of the project, must have: {'; '.join(words)}.")


def _name(value: Value) -> str:
    return scalar_text(value).strip('"').removeprefix("{{ ").removesuffix(" }}")


def _sorted(draft: Draft) -> list[tuple[tuple[str, str], dict[str, Written]]]:
    def at(item: tuple[tuple[str, str], dict[str, Written]]) -> int:
        kind = item[0][1]
        return ORDER.index(kind) if kind in ORDER else len(ORDER)

    return sorted(draft.sections.items(), key=at)


def _project(draft: Draft, name: str, entry: Written) -> Iterable[str]:
    sections = [(kind, entries) for (project, kind), entries in _sorted(draft) if project == name and entries]
    fields = said(entry.fields)
    if not sections and not fields:
        return [f"  {key(name)}: {{}}"]
    lines = [f"  {key(name)}:", *_notes(entry, "    ")]
    for word, value in fields.items():
        lines += block({word: value}, "    ")
    for kind, entries in sections:
        lines += [f"    {kind}:", *_entries(entries, "      ")]
    return lines


def _notes(entry: Written, indent: str) -> Iterator[str]:
    for note in entry.notes:
        yield from comment(note, indent)


def _entries(entries: dict[str, Written], indent: str, *, spread: bool = False) -> Iterator[str]:
    """Each on one line where that is short."""
    for name, entry in entries.items():
        fields = said(entry.fields)
        yield from _notes(entry, indent)
        short = f"{indent}{key(name)}: {scalar_text(fields)}"
        simple = all(not isinstance(one, dict) or spread for one in fields.values()) and len(fields) <= 4
        if len(short) <= WIDTH and simple and "\\n" not in short:
            yield short
        else:
            yield f"{indent}{key(name)}:"
            yield from block(fields, f"{indent}  ")
