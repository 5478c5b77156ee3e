"""From a workspace to what `stead serve` works with. The one place where the command line and the server meet."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import closing
from typing import TYPE_CHECKING, Any

from stead.cli.common.workspace import (
    UPLOADS,
    Workspace,
    is_simulated,
    key_to_keep,
    made_directory,
    open_state,
    read_hosts,
    read_spec,
    runner_for,
    site_key,
)
from stead.core.diagnostics import Code, Diagnostic, Refused, has_errors

if TYPE_CHECKING:
    from pathlib import Path

    from stead.core.address import Address
    from stead.language.desired import Desired
    from stead.language.desired.identity import IdentitySettings
    from stead.serve.cloud import Means
    from stead.serve.identity.people import People
    from stead.site.inventory import Inventory
    from stead.store import Store


NO_IMAGE = Code("STEAD-C090", "no image can be made of the disk")
NO_EXTRA = Code("STEAD-C060", "the packages of `stead serve` are not installed")
BAD_TOKEN = Code("STEAD-C081", "the token for metrics cannot be used")
METRICS_TOKEN = "metrics-token"  # noqa: S105 - the name of its file
SHORTEST_TOKEN = 32  # characters


def required() -> None:
    from importlib.util import find_spec

    missing = [name for name in ("starlette", "uvicorn", "argon2", "jsonschema", "wsproto") if find_spec(name) is None]
    if missing:
        text = f"Missing: {', '.join(missing)}. Install them with: pip install 'stead[serve]'."
        raise Refused(NO_EXTRA.at(None, text))


def must_be_ready(identity: IdentitySettings) -> None:
    """What the site's providers of identities need on this machine, looked at before the first login needs it."""
    from importlib.util import find_spec

    if identity.roles:
        from stead.serve.permissions import must_be_words
        from stead.serve.services import permission_words

        must_be_words(identity.roles, permission_words())
    for settings, package, extra in ((identity.ldap, "ldap3", "ldap"), (identity.oidc, "joserfc", "oidc")):
        if settings and find_spec(package) is None:
            raise Refused(NO_EXTRA.at(None, f"Missing: {package}. Install it with: pip install 'stead[{extra}]'."))
    if identity.ldap:
        from stead.serve.identity.ldap_directory import LdapDirectory

        for directory in identity.ldap.values():
            LdapDirectory(directory).must_be_ready()
    if identity.oidc:
        from stead.serve.identity.oidc_provider import OidcProvider

        for provider in identity.oidc.values():
            OidcProvider(provider).must_be_ready()


def means(workspace: Workspace) -> Means:
    from threading import Lock

    from stead.blueprint.placement.plugins import load_plugins
    from stead.cli.common import inventories
    from stead.cli.common.consoles import opener, reader, screen_opener
    from stead.cli.common.hooks import digests
    from stead.cli.common.reviews import apply_for_server
    from stead.core.value import replace
    from stead.kinds import kinds
    from stead.language.desired.remembered import SpecMemory
    from stead.language.spec import Stored
    from stead.serve.cloud import Means
    from stead.serve.readings import SpecReadings

    inventory, found = read_hosts(workspace)
    if has_errors(found):
        raise Refused(*found)
    uploads = (made_directory(workspace) / UPLOADS).resolve()
    key = site_key(workspace)

    memory, alone = SpecMemory(), Lock()

    def read(documents: Mapping[str, Mapping[str, Any]]) -> tuple[Desired, list[Diagnostic]]:
        with alone:
            stored = Stored(documents=documents, uploads=str(uploads), nodes=memory.nodes)
            return read_spec(workspace, key, stored=stored, memory=memory)

    open_state(workspace, create=True).close()
    ready = Means(
        read=SpecReadings(read, workspace.root),
        open_store=lambda: open_state(workspace),
        runner=runner_for(workspace, inventory),
        hosts=inventory.hosts,
        kinds=kinds(),
        key=key,
        plugins=load_plugins(),
        hooks=lambda desired: digests(desired, workspace.root),
        inventory=inventories.digest(inventory.sources),
        uploads=uploads,
        root=workspace.root,
        site_key=key_to_keep(workspace),
        metrics_token=metrics_token(workspace),
        apply_reviewed=lambda number, who: apply_for_server(workspace, number, who),
    )
    if is_simulated(workspace, inventory):
        return ready
    return replace(
        ready,
        console_log=reader(inventory),
        console=opener(inventory),
        screen=screen_opener(inventory),
        save_image=lambda disk, path: save_image(disk, path, inventory, ready.open_store),
    )


def save_image(address: Address, path: Path, inventory: Inventory, open_store: Callable[[], Store]) -> None:
    """Of a disk as it is now; of one in use, as of one moment."""
    from stead.kinds import kinds
    from stead.runner.backups import BackupHosts, disks_of
    from stead.runner.disk_streams import HostRefused

    with closing(open_store()) as store:
        disk = next((one for one in disks_of(store.recorded(), kinds()) if one.address == address), None)
    if disk is None:
        raise Refused(NO_IMAGE.at(None, f"{address} has no disk of its own that is recorded.", address=str(address)))
    hosts = BackupHosts(inventory=inventory)
    try:
        hosts.read(disk, lambda using: hosts.image(disk, using, path))
    except HostRefused as error:
        raise Refused(NO_IMAGE.at(None, str(error), address=str(address))) from error


def metrics_token(workspace: Workspace) -> str:
    """Made once, for its owner's eyes only: Prometheus reads it from the file, or has a copy of that."""
    import os
    import secrets

    path = made_directory(workspace) / METRICS_TOKEN
    try:
        new = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        token = path.read_text(encoding="ascii", errors="replace").strip()
        if len(token) < SHORTEST_TOKEN:
            text = f"{path} holds no token of {SHORTEST_TOKEN} characters. Remove it: the next start makes a new one."
            raise Refused(BAD_TOKEN.at(None, text)) from None
        return token
    token = secrets.token_hex(SHORTEST_TOKEN)
    with os.fdopen(new, "w") as file:
        file.write(token + "\n")
    return token


def people_of(ready: Means) -> People:
    from stead.serve.identity.people import People

    return People(ready.open_store())
