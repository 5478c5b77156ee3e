"""List images of well-known distributions, and lock their checksums for the spec.

  stead image list                          the catalogue, and what is locked
  stead image show debian/12                where it is, and what is known of it
  stead image lock                          write the checksums of images that the spec names, where none is written
  stead image lock debian/12 --renew        take the checksum that the publisher gives now
  stead image lock ubuntu/24.04 --keyring ubuntu-cloudimage-keyring.gpg
  stead image verify                        compare with what publishers give now

In a spec, `images: {debian: debian/12}` is an image of the catalogue. `stead image lock` writes its URL and checksum to
images.lock.yml beside the spec, as a profile: commit this file. A plan fetches nothing and knows everything.
`site: {image_mirrors: …}` names mirrors. With --keyring, gpgv checks the publisher's signature.

exit status: 0; 1 when a checksum cannot be had; 2 when `verify` finds another one than is locked
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from stead.cli.common import options as shared
from stead.core.diagnostics import Code, Refused

if TYPE_CHECKING:
    from stead.catalogue import Published
    from stead.cli.common.workspace import Workspace
    from stead.language.spec import Definition, Spec

UNKNOWN = Code("STEAD-C100", "the catalogue has no such image")
CHANGED = 2


def arguments(parser: argparse.ArgumentParser) -> None:
    subparsers = parser.add_subparsers(dest="subcommand", metavar="COMMAND", required=True)
    listing = subparsers.add_parser("list", help="list the catalogue", description="List the catalogue.")
    listing.add_argument("--json", action="store_true", help="print JSON, for programs")
    showing = subparsers.add_parser("show", help="show one image", description="Show one image of the catalogue.")
    showing.add_argument("name", metavar="NAME", help="name in the catalogue, such as debian/12")
    texts = {"lock": "write checksums to images.lock.yml", "verify": "compare locked checksums with the publishers'"}
    for word, text in texts.items():
        child = subparsers.add_parser(word, help=text, description=f"{text.capitalize()}.")
        child.add_argument("names", nargs="*", metavar="NAME", help="images (default: those that the spec names)")
        child.add_argument("--keyring", metavar="FILE", help="check signatures with the keys in this file, by gpgv")
        if word == "lock":
            child.add_argument("--renew", action="store_true", help="also those that are locked already")
        shared.inputs(child)


def run(options: argparse.Namespace) -> int:
    if options.subcommand == "list":
        return _list(as_json=options.json)
    if options.subcommand == "show":
        return _show(published(options.name))
    workspace = shared.workspace_of(options)
    spec, mirrors = spec_of(workspace)
    wanted = [published(name) for name in options.names or sorted(set(_named(spec)))]
    keyring = Path(options.keyring) if options.keyring else None
    if options.subcommand == "verify":
        return _verify(workspace, wanted, mirrors, keyring)
    written = lock(workspace, wanted, mirrors, keyring=keyring, renew=options.renew)
    print("\n".join(f"{name}  {said['checksum']}" for name, said in written.items()) or "Everything is locked.")
    return 0


def published(name: str) -> Published:
    from stead.catalogue import CATALOGUE
    from stead.language.reading import nearest

    if name not in CATALOGUE:
        text = f"There is no image {name!r}.{nearest(name, CATALOGUE)} `stead image list` lists them."
        raise Refused(UNKNOWN.at(None, text))
    return CATALOGUE[name]


def spec_of(workspace: Workspace) -> tuple[Spec, Mapping[str, str]]:
    """And the site's mirrors. That images are not locked yet is what this command is for."""
    from stead.cli.common.workspace import existing_state, read_files, stored_of
    from stead.core.diagnostics import has_errors
    from stead.language.desired import resolve

    store = existing_state(workspace)
    spec, found = read_files(workspace, stored_of(workspace, store.documents() if store is not None else {}))
    if has_errors(found):
        raise Refused(*found)
    return spec, resolve(spec, key=b"")[0].site.image_mirrors


def lock(
    workspace: Workspace,
    wanted: Sequence[Published],
    mirrors: Mapping[str, str],
    *,
    keyring: Path | None = None,
    renew: bool = False,
) -> dict[str, dict[str, str]]:
    """Writes what is not locked yet, all or nothing; and says what that is."""
    from stead.catalogue import LOCK, mirrored, profile
    from stead.cli.common.publishers import checksum_of
    from stead.language.document.writer import written
    from stead.language.formatting import formatted

    known = locked(workspace)
    made = {
        one.name: profile(one, mirrored(one.url, mirrors), checksum_of(one, mirrors, keyring))
        for one in wanted
        if renew or one.name not in known
    }
    if made:
        head = "# Written by `stead image lock`: images of the catalogue with their publishers' checksums. Commit it.\n"
        profiles = dict(sorted((known | made).items()))
        path = workspace.root / LOCK
        beside = path.with_name(f".{LOCK}.new")
        text = formatted(head + written({"stead": 1, "profiles": profiles}), LOCK)[0]
        beside.write_text(text, encoding="utf-8")
        beside.replace(path)
    return made


def locked(workspace: Workspace) -> dict[str, Any]:
    from stead.catalogue import LOCK
    from stead.language.document import plain
    from stead.language.spec.files import Files

    path = workspace.root / LOCK
    if not path.exists():
        return {}
    files = Files(workspace.root)
    node = files.document(path)
    below = node.child("profiles") if node is not None else None
    if files.found:
        raise Refused(*files.found)
    said = plain(below) if below is not None else None
    return said if isinstance(said, dict) else {}


def _named(spec: Spec) -> Iterator[str]:
    """What definitions of the spec take from the catalogue."""
    for one in spec.definitions:
        yield from (name for name in profiles_of(one) if "/" in name)


def profiles_of(one: Definition) -> Iterator[str]:
    """As they are written there."""
    from stead.language.document import Scalar, Sequence

    said = one.node if isinstance(one.node, Scalar) else one.node.child("profile")
    for each in said.items if isinstance(said, Sequence) else [said]:
        if isinstance(each, Scalar) and not each.computes:
            yield each.text


def _verify(workspace: Workspace, wanted: Sequence[Published], mirrors: Mapping[str, str], keyring: Path | None) -> int:
    from stead.cli.common.publishers import checksum_of

    known, status = locked(workspace), 0
    for one in wanted:
        before = known.get(one.name, {}).get("checksum", "")
        now = checksum_of(one, mirrors, keyring)
        word = "not locked" if not before else "the same" if before == now else "changed"
        status = CHANGED if word == "changed" else status
        print(f"{one.name}  {word}" + (f": {now}" if before != now else ""))
    return status


def _list(*, as_json: bool) -> int:
    from stead.catalogue import CATALOGUE

    if as_json:
        print(json.dumps([one._asdict() | {"url": one.url} for one in CATALOGUE.values()], indent=1))
        return 0
    for one in CATALOGUE.values():
        print(f"{one.name:<16}{one.os:<18}{one.user or '-':<12}{one.url.split('/')[2]}")
    return 0


def _show(one: Published) -> int:
    signature = (
        f"{one.signature}, checked with --keyring" if one.signature else "none: the publisher signs no checksums"
    )
    rows = {
        "image": one.url,
        "checksums": f"{one.folder}{one.sums} ({one.algorithm})",
        "signature": signature,
        "key": one.key or "not known here",
        "os": one.os,
        "user": one.user or "not known here",
    }
    print("\n".join(f"{name:<11}{value}" for name, value in rows.items() if name != "key" or one.signature))
    return 0
