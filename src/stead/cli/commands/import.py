# ruff: noqa: N999 - the command is called so
"""Make a spec of what there is already: a template of OpenStack's Heat (HOT), or domains of libvirt.

  stead import hot stack.yaml                       print the spec
  stead import hot stack.yaml -o stack.yml          write it to a new file
  stead import hot stack.yaml -e env.yaml           with an environment: its parameters become the defaults
  stead import hot stack.yaml --parameter key=ada   one value; it may be given again and again
  stead import hot stack.yaml --project shop        the name of the project (default: from the file's name)
  stead import hot stack.yaml --partial             leave out what a spec cannot say, with a comment in its place

Parameters become variables, and what the template computes from them becomes expressions. What a spec cannot say is
told with its line, all at once. `get_file` and nested templates read files in the template's folder, and no others.

  stead import libvirt                              print a spec of all domains of the hosts that are not Stead's
  stead import libvirt 'web*' db --host compute-1   only these domains, of this host
  stead import libvirt --project shop -o shop.yml   the name of the project, and the file to write
  stead import libvirt --xml web.xml --host hv-1    of a file that `virsh dumpxml` wrote; no host is asked

The next `stead plan` takes them over as they are: no guest is restarted, and no disk is moved. What a spec cannot say
is told, and stays as it is. A domain that cannot be taken over is left out with --partial, and refused without.

exit status: 0; 1 when there is something that a spec cannot say, and --partial was not given
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from stead.cli.common import options as shared
from stead.core.diagnostics import Code, Diagnostic, Place, Refused, Severity

if TYPE_CHECKING:
    from stead.heat.environment import Surroundings
    from stead.heat.translate import HotSource

UNREAD = Code("STEAD-K010", "a template cannot be read")
MOST_BYTES = 1 << 20


def arguments(parser: argparse.ArgumentParser) -> None:
    subparsers = parser.add_subparsers(dest="subcommand", metavar="FORMAT", required=True)
    text = "a template of OpenStack's Heat"
    child = subparsers.add_parser("hot", help=text, description=f"Make a spec of {text}.")
    child.add_argument("template", metavar="TEMPLATE", help="file with the template")
    child.add_argument(
        "-e", "--environment", action="append", default=[], metavar="FILE", help="environment; values of later ones win"
    )
    child.add_argument(
        "--parameter", action="append", default=[], metavar="NAME=VALUE", help="default of a variable of the spec"
    )
    child.add_argument("--project", metavar="NAME", help="name of the project (default: from the file's name)")
    child.add_argument("--partial", action="store_true", help="leave out what a spec cannot say, with a comment")
    child.add_argument("-o", "--out", metavar="FILE", help="write it to this new file (default: print it)")
    _of_libvirt(subparsers)


def _of_libvirt(subparsers: Any) -> None:
    text = "domains of libvirt, to be taken over as they are"
    child = subparsers.add_parser("libvirt", help=text, description=f"Make a spec of {text}.")
    child.add_argument("names", nargs="*", metavar="NAME", help="names of domains, or patterns (default: all)")
    child.add_argument("--host", action="append", default=[], metavar="HOST", help="only of this host")
    child.add_argument("--xml", action="append", default=[], metavar="FILE", help="read this file, and ask no host")
    child.add_argument("--project", default="imported", metavar="NAME", help="name of the project (default: imported)")
    child.add_argument("--partial", action="store_true", help="leave out domains that cannot be taken over")
    child.add_argument("-o", "--out", metavar="FILE", help="write it to this new file (default: print it)")
    shared.inventory(child)


def run(options: argparse.Namespace) -> int:
    if "xml" in options:
        from stead.cli.commands.export import write_private
        from stead.cli.commands.hosts import real_inventory
        from stead.cli.common.adopting import AdoptionRequest, write_spec

        files = {name: _bytes(Path(name)) for name in options.xml}
        out = Path(options.out) if options.out else None
        domains = AdoptionRequest(options.names, options.host, options.project, files, out, options.partial)
        workspace = shared.workspace_of(options)
        return write_spec(domains, lambda: real_inventory(workspace), write_private)
    asked = HotRequest(options.template, options.project, options.environment, options.parameter, options.partial)
    return _hot(asked, Path(options.out) if options.out is not None else None)


class HotRequest(NamedTuple):
    template: str
    project: str | None
    environments: list[str]
    parameters: list[str]
    partial: bool


def _hot(asked: HotRequest, out: Path | None) -> int:
    from dataclasses import replace

    from stead.cli.commands.export import write_private
    from stead.cli.common.console_output import complain
    from stead.core.diagnostics import in_order
    from stead.heat.spec import text
    from stead.heat.translate import translated

    path = Path(asked.template)
    draft, found = translated(_source(path, asked.project, asked.environments, asked.parameters))
    found = in_order(dict.fromkeys(found))
    if draft is None:
        raise Refused(*found)
    complain(replace(one, severity=Severity.WARNING) if asked.partial else one for one in found)
    if found and not asked.partial:
        print("Nothing was written. Change the template, or use --partial to leave these out.", file=sys.stderr)
        return 1
    made = text(draft, path.name)
    if out is None:
        print(made, end="")
    else:
        write_private(out, made)
    return 0


def _source(path: Path, named: str | None, environments: list[str], parameters: list[str]) -> HotSource:
    from stead.core.address import NAME
    from stead.heat.environment import Surroundings
    from stead.heat.references import slug
    from stead.heat.translate import HotSource

    around = Surroundings({}, {}, {})
    found: list[Diagnostic] = []
    for name in environments:
        _environment(Path(name), around, found)
    if found:
        raise Refused(*found)
    around.parameters.update(_given(parameters))
    project = named or slug(path.stem, "project")
    if not NAME.fullmatch(project):
        raise Refused(
            UNREAD.at(None, f"--project: {project!r} cannot be a name. Use lower case letters, digits and dashes.")
        )
    data = _bytes(path)
    reader = FolderReader(path.parent)
    values = {**_known(around.defaults, data, str(path)), **around.parameters}
    return HotSource(data, str(path), project, reader.read, values, around.registry)


def _environment(path: Path, around: Surroundings, found: list[Diagnostic]) -> None:
    from stead.heat.environment import read_environment

    read_environment(_bytes(path), str(path), around, found)


def _known(defaults: dict[str, Any], data: bytes, file: str) -> dict[str, Any]:
    """Defaults are for the parameters that the template has."""
    from stead.heat.template import parsed

    template = parsed(data, file, "", []) if defaults else None
    declared = template.section("parameters") if template is not None else {}
    return {name: value for name, value in defaults.items() if name in declared}


def _given(words: list[str]) -> dict[str, str]:
    """`name=value`, as Heat's own client takes them."""
    given: dict[str, str] = {}
    for word in words:
        name, equals, value = word.partition("=")
        if not equals or not name:
            raise Refused(UNREAD.at(None, f"--parameter {word}: write NAME=VALUE."))
        given[name] = value
    return given


def _bytes(path: Path) -> bytes:
    try:
        with path.open("rb") as opened:
            return opened.read(MOST_BYTES + 1)
    except OSError as error:
        text = f"{error.strerror or error}. Name a file with a template or an environment."
        raise Refused(UNREAD.at(Place(str(path), 1, 1), text)) from None


class FolderReader:
    """Files of a template: in its folder, however they are named, and by no link that leads elsewhere."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder.resolve()

    def read(self, name: str) -> bytes:
        from stead.heat.template import Unreadable

        if "://" in name:
            raise Unreadable("Nothing is fetched for a template. Put the file into the template's folder.")
        try:
            path = (self.folder / name).resolve()
            if not path.is_relative_to(self.folder):
                raise Unreadable("It is outside of the template's folder, and only what is in there is read.")
            if not path.is_file():
                raise Unreadable("There is no such file in the template's folder.")
            with path.open("rb") as opened:
                data = opened.read(MOST_BYTES + 1)
        except (OSError, ValueError) as error:
            raise Unreadable(f"It cannot be read: {error}.") from None
        if len(data) > MOST_BYTES:
            raise Unreadable(f"It has more than {MOST_BYTES:,} bytes.")
        return data
