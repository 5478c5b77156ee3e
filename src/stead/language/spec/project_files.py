"""`include: {project: acme, from: tenants/acme}`: which files a project's people own, and that they are theirs alone.

It decides whose a file is, before anything in it is believed. What such a file may say, `load` and `trust` decide.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from os.path import normpath
from pathlib import Path

from stead.core.address import NAME
from stead.core.diagnostics import Code, Diagnostic, Place
from stead.core.named import NamedTuple
from stead.language import document
from stead.language.document import Node, Scalar
from stead.language.reading.codes import MISSING, UNKNOWN_FIELD, WRONG_FORM, WRONG_TYPE
from stead.language.reading.context import kind_of

NOT_ALONE = Code("STEAD-G001", "two projects would own the same file")
SITES = Code("STEAD-G002", "only the site's files may set this")

_FIELDS = ("project", "from", "vars")


class Owned(NamedTuple):
    """Files of a project's people: a folder, or one file."""

    project: str
    path: Path
    place: Place  # where the site says so
    node: document.Mapping


def owned(node: Node, found: list[Diagnostic]) -> Iterator[Owned]:
    """What one file of the site's says of them."""
    below = node.child("include")
    if below is None or (isinstance(below, Scalar) and below.value is None):
        return
    for item in below.items if isinstance(below, document.Sequence) else [below]:
        if not isinstance(item, document.Mapping):
            text = f"This is {kind_of(item)}; expected {{project: NAME, from: FOLDER}}, or a list of these."
            found.append(WRONG_TYPE.at(item.place, text))
        elif (one := _one(item, found)) is not None:
            yield one


def _one(item: document.Mapping, found: list[Diagnostic]) -> Owned | None:
    for word in item.entries.keys() - set(_FIELDS):
        text = f"There is no field {word!r} here: at the top, an inclusion has `project`, `from` and `vars`."
        found.append(UNKNOWN_FIELD.at(item.place_of_key(word), text))
    project, path = item.child("project"), item.child("from")
    if not isinstance(project, Scalar) or not isinstance(path, Scalar) or not path.text:
        text = "It needs `project`, whose people write the files, and `from`, their folder, or their file."
        found.append(MISSING.at(item.place, text))
        return None
    if not NAME.fullmatch(project.text):
        found.append(WRONG_FORM.at(project.place, f"{project.text!r} cannot be the name of a project."))
        return None
    beside = Path(normpath(Path(path.file).parent / path.text))
    return Owned(project.text, beside, path.place, item)


def apart(owners: Sequence[Owned], site: Mapping[Path, Place], found: list[Diagnostic]) -> list[Owned]:
    """Those whose files are theirs alone. `site` has the files that were read as the site's, with all its rights."""
    good: list[tuple[Path, Owned]] = []
    for one in owners:
        real = _real(one.path)
        mine = next((path for path in site if _holds(real, _real(path))), None)
        other = next((first for path, first in good if _holds(path, real) or _holds(real, path)), None)
        if mine is not None:
            text = (
                f"{mine.name} is read as a file of the site's (see {site[mine]}), which may say everything. Keep what "
                f"the people of {one.project} own in a folder of its own, from which the site reads nothing else."
            )
            found.append(NOT_ALONE.at(one.place, text))
        elif other is not None and (other.project != one.project or other.path == one.path):
            text = f"These files belong to {other.project} already, by {other.place}. Name each folder once."
            found.append(NOT_ALONE.at(one.place, text))
        else:
            good.append((real, one))
    return [one for _, one in good]


def _real(path: Path) -> Path:
    try:
        return path.resolve()
    except (OSError, RuntimeError, ValueError):
        return path.absolute()


def _holds(folder: Path, path: Path) -> bool:
    return path.is_relative_to(folder)


__all__ = ["NOT_ALONE", "SITES", "Owned", "apart", "owned"]
