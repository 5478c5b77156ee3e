"""One host of a lab: its own files over the base tree, and the command line that boots it.

What belongs to the host and must live on the machine's file system, since an overlay cannot be exported by an NFS
server, is bound into it; everything else is the overlay's.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from stead.lab.base import Base
from stead.lab.commands import run
from stead.lab.layout import LabHost, LabLayout
from stead.lab.paths import Rooms

# Bound from the machine's file system. Stead keeps ledger, images, disks and pools in the first; a storage host may
# export anything in the second.
STEAD = "var/lib/stead"
OWN = (STEAD, "srv")
DISK = "disk.img"  # where the lab file says how large the first may become
# The machine's clock and modules are not the lab's: everything else a machine's root may do, a host's root may.
CAPABILITIES = ("--capability=all", "--drop-capability=CAP_SYS_TIME,CAP_SYS_MODULE")
# An NFS server finds files by handles; what nspawn makes of the capability for it is another matter.
SYSTEM_CALLS = "--system-call-filter=open_by_handle_at"
FILES = Path(__file__).with_name("host_files")
UNIT = "lab-host.service"
# $1 name, $2 options, $3 directory of the overlay, $4 a disk and $5 where it belongs, then the command. nspawn's own
# notes on a container are kept where they go with it: after a power cut it would leave them in the machine's /run.
MOUNT_AND_BOOT = (
    "mkdir -p /run/systemd/nspawn && mount -t tmpfs stead-lab /run/systemd/nspawn"
    ' && { [ -z "$4" ] || mount -o loop "$4" "$5"; } && mount -t overlay "$1" -o "$2" "$3" && shift 5 && exec "$@"'
)


def personalise(layout: LabLayout, host: LabHost, rooms: Rooms) -> None:
    """The host's identity, written into its upper layer before the first boot."""
    top = rooms.host(host.name)
    upper = top / "upper"
    for directory in (upper, top / "work", top / "root", *(top / "own" / name for name in OWN)):
        directory.mkdir(parents=True, exist_ok=True)
    names = "".join(f"{one.address} {one.name}\n" for one in layout.hosts)
    write(upper / "etc/hostname", f"{host.name}\n")
    write(upper / "etc/hosts", f"127.0.0.1 localhost\n::1 localhost ip6-localhost\n{names}")
    write(upper / "etc/machine-id", f"{host.machine_id}\n")
    write(upper / "etc/lab/product_uuid", f"{host.machine_id}\n")
    write(upper / "root/.ssh/authorized_keys", public(rooms.key), mode=0o600)
    (upper / "root").chmod(0o700)
    (upper / "root/.ssh").chmod(0o700)
    new_key(upper / "etc/ssh/ssh_host_ed25519_key", host.name)
    make_machine_like(upper)
    if host.disk:
        make_disk(top / DISK, host.disk)


def make_disk(path: Path, size: int) -> None:
    """A file system that can be full without the machine's being so. It takes no more room than what is in it."""
    with path.open("wb") as file:
        file.truncate(size)
    run(["mke2fs", "-q", "-t", "ext4", "-m", "0", "-F", path])


def make_machine_like(upper: Path) -> None:
    """The program that runs first in each host. Here and not in the base tree, so that a change needs no new tree."""
    write(upper / "usr/local/sbin/lab-host", (FILES / "lab-host").read_text(encoding="utf-8"), mode=0o755)
    units = upper / "etc/systemd/system"
    write(units / UNIT, (FILES / UNIT).read_text(encoding="utf-8"))
    wanted = units / "sysinit.target.wants"
    wanted.mkdir(exist_ok=True)
    (wanted / UNIT).unlink(missing_ok=True)
    (wanted / UNIT).symlink_to(f"../{UNIT}")


def new_key(path: Path, comment: str) -> None:
    if not path.with_name(f"{path.name}.pub").exists():  # written last
        path.unlink(missing_ok=True)
        path.parent.mkdir(parents=True, exist_ok=True)
        run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", comment, "-f", path])


def public(key: Path) -> str:
    return key.with_name(f"{key.name}.pub").read_text(encoding="utf-8")


def known_hosts(layout: LabLayout, rooms: Rooms) -> str:
    lines = []
    for host in layout.hosts:
        kind, key, *_ = public(rooms.host(host.name) / "upper/etc/ssh/ssh_host_ed25519_key").split()
        lines.append(f"{host.address},{host.name} {kind} {key}\n")
    return "".join(lines)


def boot_argv(layout: LabLayout, host: LabHost, rooms: Rooms, base: Base) -> list[str]:
    """Mounts the overlay in a mount namespace of its own, gone with the host, and becomes the container."""
    top = rooms.host(host.name)
    lower = ":".join(map(str, base.layers(layout.base)))
    options = f"lowerdir={lower},upperdir={top / 'upper'},workdir={top / 'work'}"
    # slave: what the machine unmounts (another host's network namespace) must go in here too, or it would stay alive
    mount = ["unshare", "--mount", "--propagation=slave", "sh", "-c", MOUNT_AND_BOOT, "boot"]
    overlay = [f"stead-{layout.name}.{host.name}", options, str(top / "root")]
    disk = [str(top / DISK), str(top / "own" / STEAD)] if host.disk else ["", ""]
    return [*mount, *overlay, *disk, *nspawn(layout, host, top, base)]


def nspawn(layout: LabLayout, host: LabHost, top: Path, base: Base) -> list[str]:
    return [
        "systemd-nspawn",
        "--quiet",
        "--boot",
        "--register=no",
        "--keep-unit",
        "--console=pipe",
        "--link-journal=no",
        "--resolv-conf=off",
        "--timezone=off",
        f"--machine={layout.name}-{host.name}",
        f"--hostname={host.name}",
        f"--uuid={host.machine_id}",
        f"--directory={top / 'root'}",
        f"--network-namespace-path=/run/netns/{host.namespace}",
        *CAPABILITIES,
        SYSTEM_CALLS,
        *bind(base, top),
    ]


def bind(base: Base, top: Path) -> Iterable[str]:
    yield f"--bind-ro={base.packages}:/opt/lab-packages"
    for name in OWN:
        yield f"--bind={top / 'own' / name}:/{name}"


def write(path: Path, text: str, *, mode: int = 0o644) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    path.chmod(mode)
