"""Where the inputs of a plan are: finds spec, inventory, store, key and runner, and reads them.

The one place that knows where things are. It plans nothing and changes nothing but `.stead`, which it makes.
"""

from __future__ import annotations

import os
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from stead.core.diagnostics import Code, Diagnostic, Refused
from stead.core.value import field, value

if TYPE_CHECKING:
    from stead.core.fields import Password
    from stead.language.desired import Desired
    from stead.language.desired.remembered import SpecMemory
    from stead.language.spec import Spec, Stored
    from stead.runner import Runner
    from stead.site.inventory import Inventory
    from stead.store import Store
    from stead.store.model import Document

NO_INVENTORY = Code("STEAD-C010", "there is no inventory")
BAD_OPTION = Code("STEAD-C011", "invalid option value")
BAD_KEY = Code("STEAD-C012", "the site's key cannot be used")
NO_RUNNER = Code("STEAD-C013", "no runner for these hosts")
UNREADABLE = Code("STEAD-C014", "a file cannot be read")

DIRECTORY = ".stead"
INVENTORIES = ("inventory.yml", "inventory.yaml", "inventory.ini", "inventory")
SIMULATION = "simulated.db"
UPLOADS = "images"  # that came through the API
RUNS = "runs"  # what Ansible said, a directory for each
KEY_BYTES = 32


@value
class Workspace:
    """Where the parts are; nothing is read yet."""

    specs: tuple[Path, ...]
    root: Path  # beside the spec: `.stead` and the inventory are here
    inventories: tuple[Path, ...]
    variables: Mapping[str, str] = field(default_factory=dict)
    var_files: tuple[Path, ...] = ()
    vault_files: tuple[Path, ...] = ()
    store: str = ""
    simulated: bool = False

    @property
    def directory(self) -> Path:
        return self.root / DIRECTORY


def find(  # noqa: PLR0913 - each is an option of its own
    *,
    specs: Sequence[str] = (),
    inventories: Sequence[str] = (),
    extra: Sequence[str] = (),
    var_files: Sequence[str] = (),
    vault_files: Sequence[str] = (),
    store: str = "",
    simulated: bool = False,
) -> Workspace:
    """What was named, and else what lies where one stands."""
    named = tuple(map(Path, specs))
    root = (named[0] if named[0].is_dir() else named[0].parent) if named else Path()
    lists = tuple(map(Path, inventories)) or _inventories(root)
    return Workspace(
        specs=named or _specs(root, lists),
        root=root,
        inventories=lists,
        variables=dict(pair(text, "-e") for text in extra),
        var_files=tuple(map(Path, var_files)),
        vault_files=tuple(map(Path, vault_files)),
        store=store or os.environ.get("STEAD_STORE", ""),
        simulated=simulated,
    )


def _inventories(root: Path) -> tuple[Path, ...]:
    return tuple(path for name in INVENTORIES if (path := root / name).exists())[:1]


def _specs(root: Path, inventories: Sequence[Path]) -> tuple[Path, ...]:
    """The directory, unless an inventory with a name of its own lies among its files."""
    beside = {path.resolve() for path in inventories if path.suffix in (".yml", ".yaml")}
    if not any(path.parent == root.resolve() and path.name not in INVENTORIES for path in beside):
        return (root,)
    files = sorted([*root.glob("*.yml"), *root.glob("*.yaml")])
    return tuple(
        path
        for path in files
        if path.resolve() not in beside
        and not path.name.endswith((*INVENTORIES, ".test.yml", ".vars.yml", "prices.yml"))
    )


def pair(text: str, option: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals or not name:
        raise Refused(BAD_OPTION.at(None, f"{option} {text}: write NAME=VALUE."))
    return name, value


def stored_of(workspace: Workspace, documents: Mapping[str, Document]) -> Stored:
    """What projects of the API have asked for."""
    from stead.language.spec import Stored

    uploads = str((workspace.directory / UPLOADS).resolve())
    return Stored(documents={name: one.content for name, one in documents.items()}, uploads=uploads)


def read_spec(
    workspace: Workspace, key: bytes = b"", *, stored: Stored | None = None, memory: SpecMemory | None = None
) -> tuple[Desired, list[Diagnostic]]:
    """`key` is given by who has found another than the one that lies here; `stored` by who has read the store; `memory`
    by who reads again and again.
    """
    from stead.cli.common.bounded import while_planned
    from stead.cli.common.hooks import unfit
    from stead.language.desired import resolve

    if stored is None:
        store = existing_state(workspace)
        stored = stored_of(workspace, store.documents() if store is not None else {})
    spec, found = read_files(workspace, stored, memory)
    with while_planned(bool(spec.owned)):
        desired, more = resolve(spec, key=key or site_key(workspace), memory=memory)
    return desired, [*found, *more, *unfit(desired, workspace.root)]


def read_files(workspace: Workspace, stored: Stored, memory: SpecMemory | None = None) -> tuple[Spec, list[Diagnostic]]:
    """What the files say, before anything in it is resolved."""
    from stead.kinds import kinds
    from stead.language.spec import load

    return load(
        workspace.specs,
        kinds(),
        variables=workspace.variables,
        var_files=workspace.var_files,
        vault_secrets=passwords(workspace.vault_files),
        root=workspace.root,
        stored=stored,
        parsed=memory.files if memory is not None else None,
    )


def passwords(files: tuple[Path, ...]) -> tuple[Password, ...]:
    """`ID@FILE` is the password of a vault id; a file that is there under this very name is that file."""
    from stead.core.fields import Password, Secret

    if not files and (named := os.environ.get("ANSIBLE_VAULT_PASSWORD_FILE")):
        files = (Path(named),)
    found = [_named_password(path) for path in files]
    return tuple(Password(Secret(_text(path).strip()), name) for name, path in found)


def _named_password(path: Path) -> tuple[str, Path]:
    name, at, file = str(path).partition("@")
    return ("", path) if not at or path.exists() else (name, Path(file))


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is not text"
        raise Refused(UNREADABLE.at(None, f"{path}: {why}.")) from error


def read_hosts(workspace: Workspace) -> tuple[Inventory, list[Diagnostic]]:
    from stead.site.inventory import read_inventory

    if not workspace.inventories:
        names = ", ".join(INVENTORIES)
        text = f"No inventory beside the spec ({names}), and -i names none. `stead init demo` creates one."
        raise Refused(NO_INVENTORY.at(None, text))
    return read_inventory(workspace.inventories)


def is_simulated(workspace: Workspace, inventory: Inventory) -> bool:
    return workspace.simulated or inventory.runners == {"simulated"}


def runner_for(workspace: Workspace, inventory: Inventory) -> Runner:
    """The only choice between simulated and real hosts; nothing else can tell them apart."""
    if is_simulated(workspace, inventory):
        from stead.runner.simulated import SimulatedRunner

        return SimulatedRunner(made_directory(workspace) / SIMULATION)
    if "simulated" in inventory.runners:
        text = "Some hosts of the inventory are simulated and some are not. Set stead_runner for all of them, or none."
        raise Refused(NO_RUNNER.at(None, text))
    from stead.runner.ansible import AnsibleRunner
    from stead.runner.wave_files import forget_secrets

    runs = made_directory(workspace) / RUNS
    forget_secrets(runs)
    folder = runs / f"{time.strftime('%Y%m%dT%H%M%S')}-{os.getpid()}"
    # The inventory may have vaulted variables of Ansible's own: passwords, ports.
    files = [_named_password(path) for path in workspace.vault_files]
    vault = [f"--vault-password-file={path.resolve()}" for name, path in files if not name]
    return AnsibleRunner(inventory=inventory.sources, folder=folder, run_name=folder.name, arguments=vault)


def open_state(workspace: Workspace, *, create: bool = False) -> Store:
    """Planning makes a store where there never was one: the site is born with it, and salts what a plan chooses."""
    from stead.store import open_store
    from stead.store.sealing import configured_key

    directory = made_directory(workspace) if create else workspace.directory
    return open_store(workspace.store, directory=directory, key=configured_key(), create=create)


def existing_state(workspace: Workspace) -> Store | None:
    """None where there is none yet; one that was there and is gone is refused."""
    from stead.store.codes import NO_STORE

    try:
        return open_state(workspace)
    except Refused as refused:
        if any(one.code != NO_STORE.id for one in refused.diagnostics):
            raise
        return None


def made_directory(workspace: Workspace) -> Path:
    from stead.store.init import make_directory

    make_directory(workspace.directory)
    return workspace.directory


def site_key(workspace: Workspace) -> bytes:
    """What secrets are sealed with in plans and records.

    Whoever shares a store must share it, or each would see the other's secrets as changed: so it comes from the
    store's own key where there is one, and else from a file that is made once.
    """
    from stead.core.blake2 import blake2b
    from stead.store.sealing import configured_key

    if shared := configured_key():
        return blake2b(shared.encode(), key=b"stead: seals secrets", digest_size=KEY_BYTES).digest()
    path = made_directory(workspace) / "key"
    try:
        return _whole(path.read_bytes(), path)
    except FileNotFoundError:
        return _new_key(path)
    except OSError as error:
        raise Refused(BAD_KEY.at(None, f"{path}: {error.strerror}.")) from error


def take_key(workspace: Workspace, kept: str, *, dry: bool) -> bytes:
    """The key that hosts keep, in the place of one that a refused plan may have made here, which stays as `key.old`."""
    from stead.store.sealing import configured_key

    if configured_key() or not kept:
        return site_key(workspace)
    key, path = bytes.fromhex(kept), made_directory(workspace) / "key"
    if not dry and (not path.exists() or path.read_bytes() != key):
        if path.exists():
            path.replace(path.with_name("key.old"))
        _new_key(path, key)
    return key


def key_to_keep(workspace: Workspace) -> str:
    """The key that this directory alone has, for hosts to keep; nothing where people have one of their own."""
    from stead.store.sealing import configured_key

    return "" if configured_key() else site_key(workspace).hex()


def _new_key(path: Path, key: bytes = b"") -> bytes:
    """Made whole under another name first: two that start at once agree on one."""
    key = key or os.urandom(KEY_BYTES)
    new = path.with_name(f"key.{os.getpid()}")
    with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(key)
    try:
        os.link(new, path)
    except FileExistsError:
        return _whole(path.read_bytes(), path)
    finally:
        new.unlink()
    return key


def _whole(key: bytes, path: Path) -> bytes:
    if len(key) != KEY_BYTES:
        text = (
            f"{path} should hold {KEY_BYTES} bytes and holds {len(key)}. Restore it from a backup: under a new key "
            "every secret would look changed."
        )
        raise Refused(BAD_KEY.at(None, text))
    return key
