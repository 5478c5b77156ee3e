"""Check a spec without hosts: fields, names, references, expressions, rules and quotas.

  stead validate                          the spec in this directory
  stead validate site/ -e stage=test      another, with a variable
  stead validate --as acme tenants/acme   files of one project, without the site's files: what they may not
                                          contain is an error; what needs a grant is a warning
  stead validate --format sarif           for code scanning; junit for test reports

exit status: 0 when there are no errors, 1 when there are
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from stead.cli.common.console_output import as_data, complain
from stead.core.diagnostics import Diagnostic, Refused, Severity, has_errors

if TYPE_CHECKING:
    from stead.cli.common.workspace import Workspace
    from stead.language.desired import Desired

FORMATS = ("text", "json", "sarif", "junit")


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("paths", nargs="*", metavar="PATH", help="spec files or directories (default: .)")
    parser.add_argument(
        "--as",
        dest="tenant",
        metavar="PROJECT",
        help="check PATH as the files of this project alone",
    )
    parser.add_argument("-e", "--extra", action="append", default=[], metavar="NAME=VALUE", help="value of a variable")
    parser.add_argument("--var-file", action="append", default=[], metavar="FILE", help="file of variables")
    parser.add_argument("--vault-password-file", action="append", default=[], metavar="FILE")
    parser.add_argument("--format", choices=FORMATS, default="text")
    parser.add_argument("--json", action="store_const", const="json", dest="format", help="the same as --format json")
    parser.add_argument("-q", "--quiet", action="store_true", help="print nothing if there are no errors")


def run(options: argparse.Namespace) -> int:
    import gc

    from stead.cli.common.workspace import find

    gc.disable()  # a large spec makes millions of values and no garbage
    given = find(
        specs=options.paths or ["."],
        extra=options.extra,
        var_files=options.var_file,
        vault_files=options.vault_password_file,
    )
    if options.tenant:
        _check_alone(options.paths, options.tenant)
    desired, found = _alone(given, options.tenant) if options.tenant else _whole(given)
    show(found, options.format)
    if options.format == "text" and not options.quiet and not found:
        print(f"{sum(len(block.members) for block in desired.blocks):,} resources, no errors.")
    return 1 if has_errors(found) else 0


def _whole(given: Workspace) -> tuple[Desired, list[Diagnostic]]:
    from stead.cli.common.hooks import unfit
    from stead.cli.common.workspace import passwords
    from stead.kinds import kinds
    from stead.language.desired import resolve
    from stead.language.spec import load

    root = _root(given.specs[0])
    spec, found = load(
        given.specs,
        kinds(),
        variables=given.variables,
        var_files=given.var_files,
        vault_secrets=passwords(given.vault_files),
        root=root,
    )
    desired, more = resolve(spec, key=b"")
    return desired, [*found, *more, *unfit(desired, root)]


def _root(path: Path) -> Path:
    """Where what the spec names has to lie: here, or beside a spec that is elsewhere."""
    return Path() if path.resolve().is_relative_to(Path.cwd()) else path if path.is_dir() else path.parent


def _check_alone(paths: Sequence[str], project: str) -> None:
    from stead.cli.common.workspace import BAD_OPTION
    from stead.core.address import NAME

    if len(paths) != 1 or not NAME.fullmatch(project):
        text = "--as takes the name of a project, and one PATH beside it: the folder or file of the project's people."
        raise Refused(BAD_OPTION.at(None, text))


def _alone(given: Workspace, project: str) -> tuple[Desired, list[Diagnostic]]:
    from stead.kinds import kinds
    from stead.language.desired import resolve
    from stead.language.spec import load_alone

    (path,) = given.specs
    spec, found = load_alone(
        path,
        project,
        kinds(),
        variables=given.variables,
        var_files=given.var_files,
        root=path.resolve().parent if _root(path) != Path() else Path.cwd(),
    )
    desired, more = resolve(spec, key=b"", alone=True)
    return desired, [*found, *more]


def show(found: Sequence[Diagnostic], form: str) -> None:
    match form:
        case "json":
            print(json.dumps({"diagnostics": [as_data(one) for one in found]}, indent=1))
        case "sarif":
            print(json.dumps(sarif(found), indent=1))
        case "junit":
            print(junit(found))
        case _:
            complain(found, sys.stderr)


def sarif(found: Sequence[Diagnostic]) -> dict[str, object]:
    """SARIF 2.1.0, as code scanning reads it."""
    import os
    from urllib.parse import quote

    rules = {one.code: {"id": one.code, "shortDescription": {"text": one.summary}} for one in found}
    results = [
        {
            "ruleId": one.code,
            "level": str(one.severity),
            "message": {"text": one.detail},
            "locations": [
                {
                    "physicalLocation": {
                        "artifactLocation": {"uri": quote(os.fsencode(one.place.file if one.place else "."))},
                        "region": {
                            "startLine": one.place.line if one.place else 1,
                            "startColumn": one.place.column if one.place else 1,
                        },
                    }
                }
            ],
        }
        for one in found
    ]
    from stead import __version__

    driver = {"name": "stead", "version": __version__, "rules": list(rules.values())}
    return {
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{"tool": {"driver": driver}, "results": results}],
    }


def junit(found: Sequence[Diagnostic]) -> str:
    """One test case for each mistake; a single good one where there is none."""
    import xml.etree.ElementTree as ET

    from stead.plan.render.values import legible, safe

    failures = [one for one in found if one.severity is Severity.ERROR]
    suite = ET.Element("testsuite", name="stead validate", tests=str(len(found) or 1), failures=str(len(failures)))
    for one in found:
        case = ET.SubElement(suite, "testcase", classname=safe(one.place.file if one.place else "spec"), name=one.code)
        if one.severity is Severity.ERROR:
            failure = ET.SubElement(case, "failure", message=one.summary, type=one.code)
            failure.text = legible(f"{one.place or ''} {one.detail}")
        else:
            ET.SubElement(case, "system-out").text = legible(f"{one.place or ''} {one.detail}")
    if not found:
        ET.SubElement(suite, "testcase", classname="spec", name="valid")
    return ET.tostring(suite, encoding="unicode", xml_declaration=True)
