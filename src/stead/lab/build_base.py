"""Builds the base tree: Debian by mmdebstrap, the roles' packages in a layer over it, and a repository of them all.

Runs inside a private mount namespace or a container wherever it mounts something, so a killed build leaves no mounts.
This file is part of the cache's key: change it and the tree is built again.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from stead.lab import base as recipe
from stead.lab.base import Base
from stead.lab.codes import BASE_FAILED
from stead.lab.commands import run

SOURCE = "deb [trusted=yes] file:/opt/lab-packages ./\n"  # ours, made on this machine a moment ago
# Speed where safety buys nothing: a build that is cut short is thrown away, so nothing needs to reach the disk at once.
DPKG = (
    "force-unsafe-io\npath-exclude=/usr/share/doc/*\npath-exclude=/usr/share/man/*\npath-exclude=/usr/share/locale/*\n"
)
APT = 'APT::Install-Recommends "false";\nAcquire::Languages "none";\nAPT::Keep-Downloaded-Packages "true";\n'
INSTALL = ("apt-get", "--quiet", "--yes", "install")
ROOM = (
    "--register=no",
    "--keep-unit",
    "--quiet",
    "--resolv-conf=replace-host",
    "--as-pid2",
    "--console=pipe",
    "--setenv=DEBIAN_FRONTEND=noninteractive",
)
# Timers that fetch from the network or trim disks: noise on a host that lives for minutes.
IDLE = ("apt-daily.timer", "apt-daily-upgrade.timer", "dpkg-db-backup.timer", "fstrim.timer", "e2scrub_all.timer")
# The upper layer of an overlay is mounted in the command's own mount namespace and is gone with it.
IN_OVERLAY = 'mount -t overlay stead-lab-build -o "$1" "$2" && shift 2 && exec "$@"'

Say = Callable[[str], None]


def build(base: Base, say: Say) -> None:
    say("Debian (mmdebstrap)")
    build_bare(base.bare)
    say("the roles' packages")
    build_stock(base)
    say("their repository")
    build_repository(base)
    tidy(base)


def build_bare(tree: Path) -> None:
    wanted = ["--variant=minbase", f"--include={','.join(recipe.packages('bare'))}"]
    options = [f"--dpkgopt={line}" for line in DPKG.splitlines()]
    run(["mmdebstrap", "--mode=root", *wanted, *options, recipe.RELEASE, tree, recipe.mirror()], code=BASE_FAILED)
    write(tree / "etc/dpkg/dpkg.cfg.d/lab", DPKG)
    write(tree / "etc/apt/apt.conf.d/90lab", APT)
    for timer in IDLE:
        link(tree / "etc/systemd/system" / timer, "/dev/null")


def build_stock(base: Base) -> None:
    """Installs over the bare tree, starting nothing."""
    base.stock.mkdir()
    sources = f"deb {recipe.mirror()} {recipe.RELEASE} main\ndeb {recipe.SECURITY} {recipe.RELEASE}-security main\n"
    write(base.stock / "etc/apt/sources.list", sources)
    write(base.stock / "usr/sbin/policy-rc.d", "#!/bin/sh\nexit 101\n", mode=0o755)  # 101: start nothing
    in_room(base, ["apt-get", "--quiet", "update"])
    for level in ("stock", "offered", "guest"):  # one by one: some of what is offered excludes some of what is stocked
        in_room(base, [*INSTALL, "--download-only", *recipe.packages(level)])
    in_room(base, [*INSTALL, *recipe.packages("stock")])
    (base.stock / "usr/sbin/policy-rc.d").unlink()
    switch_off(base)


def in_room(base: Base, argv: Sequence[str]) -> None:
    """Runs a command in the stocked tree. The overlay's own directories last as long as the command."""
    work, merged = base.top / "work", base.top / "merged"
    for directory in (work, merged):
        directory.mkdir(exist_ok=True)
    options = f"lowerdir={base.bare},upperdir={base.stock},workdir={work}"
    mount = ["unshare", "--mount", "--propagation=slave", "sh", "-c", IN_OVERLAY, "room", options, str(merged)]
    room = ["systemd-nspawn", *ROOM, f"--directory={merged}", *binds(base), "--"]
    run([*mount, *room, *argv], code=BASE_FAILED)
    shutil.rmtree(work)
    merged.rmdir()


def binds(base: Base) -> list[str]:
    base.packages.mkdir(exist_ok=True)
    return [f"--bind-ro={base.packages}:/opt/lab-packages"]


def switch_off(base: Base) -> None:
    """What a package enabled is disabled: a role has to enable it, as on a host it installs from nothing."""
    units = base.stock / "etc/systemd/system"
    for path in units.rglob("*"):
        if path.is_symlink() and not os.path.lexists(base.bare / path.relative_to(base.stock)):
            path.unlink()


def build_repository(base: Base) -> None:
    archives = base.stock / "var/cache/apt/archives"
    for package in archives.glob("*.deb"):
        package.rename(base.packages / package.name.replace("%3a", "-"))  # an escaped epoch confuses file: addresses
    packages = sorted(base.packages.glob("*.deb"))
    with ThreadPoolExecutor(max_workers=4) as pool:
        entries = list(pool.map(entry, packages))
    write(base.packages / "Packages", "\n".join(entries))


def entry(package: Path) -> str:
    """One package's paragraph in a repository's index."""
    control = run(["dpkg-deb", "--field", package], code=BASE_FAILED).rstrip("\n")
    content = package.read_bytes()
    digest = hashlib.sha256(content).hexdigest()
    return f"{control}\nFilename: ./{package.name}\nSize: {len(content)}\nSHA256: {digest}\n"


def tidy(base: Base) -> None:
    """Hosts know one source of packages, and its index is already read."""
    for tree in (base.bare, base.stock):
        shutil.rmtree(tree / "var/lib/apt/lists", ignore_errors=True)
        for left in tree.glob("var/cache/apt/**/*.*"):
            left.unlink(missing_ok=True)
        write(tree / "etc/apt/sources.list", SOURCE)
    run(["systemd-nspawn", *ROOM, f"--directory={base.bare}", *binds(base), "--", "apt-get", "--quiet", "update"])
    in_room(base, ["apt-get", "--quiet", "update"])
    for tree in (base.bare, base.stock):
        for name in (*tree.glob("etc/ssh/ssh_host_*"), tree / "etc/machine-id", tree / "etc/hostname"):
            name.unlink(missing_ok=True)
        (tree / "etc/resolv.conf").unlink(missing_ok=True)


def write(path: Path, text: str, *, mode: int = 0o644) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    path.chmod(mode)


def link(path: Path, target: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    path.symlink_to(target)
