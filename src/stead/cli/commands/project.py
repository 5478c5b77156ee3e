"""Hand a project over from the API to files, or from files to the API. Nothing on hosts changes.

  stead export acme -o tenants/acme.yml           1. write the file, and include it in the site's files
  stead project acme --to-files                   2. from now on, the file says what the project has

  stead project acme --to-api tenants/acme.yml    the other way round: first remove the file from the site's
                                                  `include`, then the API says what the project has

It is refused when the next plan would have a step for the project. Expressions, `vars`, parts and `!vault` values
cannot pass to the API: write the values themselves first.

exit status: 0 done; 1 refused
"""

from __future__ import annotations

import argparse
from pathlib import Path

from stead.cli.common import options as shared


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("project", metavar="PROJECT", help="name of the project")
    owner = parser.add_mutually_exclusive_group(required=True)
    owner.add_argument("--to-files", action="store_true", help="it belongs to the files that the spec includes")
    owner.add_argument("--to-api", metavar="FILE", help="it belongs to the API, and has what this file says")
    shared.inputs(parser)


def run(options: argparse.Namespace) -> int:
    from stead.cli.common.serving import means, required

    required()
    from stead.language.spec.exported import read_exported
    from stead.serve.cloud import Cloud
    from stead.serve.edits import Who
    from stead.serve.handover import to_api, to_files

    cloud, who = Cloud(means(shared.workspace_of(options))), Who("stead project", "")
    if options.to_files:
        print(f"{options.project} belongs to {to_files(cloud, options.project, who)} now.")
    else:
        to_api(cloud, options.project, read_exported(Path(options.to_api)), who)
        print(f"{options.project} belongs to the API now.")
    return 0
