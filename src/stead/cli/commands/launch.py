"""Write an instance of a well-known image into the spec, plan it, and apply it when you approve it.

  stead launch debian/12 --flavor small
  stead launch debian/12 --flavor small --name web --count 3 --project acme --network app --keypair ada

The lines go to a new file beside the spec, NAME.yml, and the image's checksum to images.lock.yml, as `stead image lock`
does it. If no plan can be made, or you do not approve it, the new file is removed again. `--project`, `--network` and
`--keypair` may be left out where the spec has one only.

exit status: 0 done; 1 refused, or some steps failed or were skipped; 3 not agreed to; 130 stopped by Ctrl-C
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from stead.cli.common import options as shared
from stead.core.address import NAME
from stead.core.diagnostics import Code, Refused
from stead.core.named import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable

    from stead.catalogue import Published
    from stead.cli.common.planning import Ready
    from stead.cli.common.workspace import Workspace
    from stead.core.diagnostics import Diagnostic
    from stead.language.spec import Definition, Spec

NOT_CLEAR = Code("STEAD-C104", "it is not clear what to launch")
WRITTEN = Code("STEAD-C105", "a file to be written already exists")
MOST = 1000


class Launched(NamedTuple):
    """What was asked for."""

    flavor: str
    name: str
    members: int | None
    project: str
    networks: tuple[str, ...]
    keypairs: tuple[str, ...]


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("image", metavar="IMAGE", help="name in the catalogue, such as debian/12")
    parser.add_argument("--flavor", required=True, metavar="NAME", help="flavor of the site or the project")
    parser.add_argument("--name", metavar="NAME", help="name of the instance (default: from the image's)")
    parser.add_argument("--count", type=shared.number(1, MOST), metavar="N", help="how many (default: one)")
    parser.add_argument("--project", dest="into", metavar="NAME", help="its project (default: the only one)")
    parser.add_argument("--network", action="append", metavar="NAME", help="its network (default: the only one)")
    parser.add_argument("--keypair", action="append", metavar="NAME", help="a keypair (default: the only one, if any)")
    shared.applying(parser)
    shared.inputs(parser)
    shared.output(parser)


def run(options: argparse.Namespace) -> int:
    from stead.cli.commands.image import lock, published, spec_of
    from stead.cli.common.applying import NO, plan_and_apply
    from stead.cli.common.approval import NOBODY

    asked, request = shared.applying_of(options), shared.planning_of(options)
    image = published(options.image)
    spec, mirrors = spec_of(asked.workspace)
    said = completed(
        Launched(
            flavor=options.flavor,
            name=options.name or slug(image),
            members=options.count,
            project=options.into or "",
            networks=tuple(options.network or ()),
            keypairs=tuple(options.keypair or ()),
        ),
        spec,
    )
    path = asked.workspace.root / f"{said.name}.yml"
    _write(path, content(spec, image, said), asked.workspace)
    planned: list[Ready] = []

    def note(ready: Ready) -> Iterable[Diagnostic]:
        planned.append(ready)
        return ()

    status = 1
    try:
        lock(asked.workspace, [image], mirrors)
        status = plan_and_apply(asked, request, note)
    except Refused as refused:
        if any(one.code == NOBODY.id for one in refused.diagnostics):
            planned.clear()
        raise
    finally:
        if not planned or status == NO:  # once a plan may have been begun, its lines stay whatever happens
            path.unlink()
    return status


def completed(asked: Launched, spec: Spec) -> Launched:
    """With what the spec has one of only, where nothing was said."""
    if not NAME.fullmatch(asked.name):
        raise Refused(NOT_CLEAR.at(None, f"{asked.name!r} is not a name: lower case letters, digits and dashes."))
    project = asked.project or _only(_names(spec, "projects", ""), "project")
    keypairs = _if_one(_names(spec, "keypairs", project) or _names(spec, "keypairs", ""))
    return asked._replace(
        project=project,
        networks=asked.networks or (_only(_names(spec, "networks", project), "network"),),
        keypairs=asked.keypairs or tuple(keypairs),
    )


def _names(spec: Spec, kind: str, project: str) -> list[str]:
    return sorted(one.name for one in _of(spec, kind, project))


def _of(spec: Spec, kind: str, project: str) -> list[Definition]:
    return [one for one in spec.definitions if (one.kind, one.project) == (kind, project)]


def _if_one(names: list[str]) -> list[str]:
    return names if len(names) == 1 else []


def _only(names: list[str], what: str) -> str:
    if len(names) != 1:
        there = f"The spec has the {what}s {', '.join(names[:8])}" if names else f"The spec has no {what}"
        text = f"{there}. Choose one with --{what}." if names else f"{there}. Write one first."
        raise Refused(NOT_CLEAR.at(None, text))
    return names[0]


def slug(image: Published) -> str:
    return image.name.replace("/", "-").replace(".", "-")


def content(spec: Spec, image: Published, asked: Launched) -> dict[str, Any]:
    """The lines that the spec lacks."""
    own: dict[str, Any] = {"flavor": asked.flavor, "image": slug(image), "networks": list(asked.networks)}
    if asked.members is not None:
        own = {"count": asked.members, **own}
    if asked.keypairs:
        own["keypairs"] = list(asked.keypairs)
    project = {asked.project: {"instances": {asked.name: own}}}
    known = _is_known(spec, image, asked.project)
    return {"stead": 1, **({} if known else {"images": {slug(image): image.name}}), "projects": project}


def _is_known(spec: Spec, image: Published, project: str) -> bool:
    """Another image of this name would be launched in its place."""
    from stead.cli.commands.image import profiles_of

    there = [one for at in ("", project) for one in _of(spec, "images", at) if one.name == slug(image)]
    for one in there:
        if image.name not in profiles_of(one):
            text = f"The spec has another image {one.name}. Write the instance with it by hand."
            raise Refused(NOT_CLEAR.at(one.node.place, text))
    return bool(there)


def _write(path: Path, lines: dict[str, Any], workspace: Workspace) -> None:
    from stead.language.document.writer import written
    from stead.language.formatting import formatted
    from stead.language.spec.files import OTHERS

    if workspace.root not in workspace.specs:
        text = "The spec is a single file. Name its directory, to which new files can be added."
        raise Refused(NOT_CLEAR.at(None, text))
    if path.name.endswith(OTHERS):
        raise Refused(
            NOT_CLEAR.at(None, f"{path.name} would not be a file of the spec. Choose another name with --name.")
        )
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(formatted(written(lines), str(path))[0])
    except FileExistsError:
        raise Refused(WRITTEN.at(None, f"{path} exists. Choose another name with --name.")) from None
