"""A small Ceph cluster on one host of a lab: one monitor, one manager, three OSDs on files. It keeps nothing safe.

The packages are fetched once and kept beside the lab's base tree: no other test needs them.
"""

from __future__ import annotations

import shlex
import shutil
import subprocess
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from stead.lab import paths
from stead.lab.site import Lab

CLUSTER, CLIENT = ("ceph-mon", "ceph-mgr", "ceph-osd", "ceph-common"), ("ceph-common",)
POOL, USER = "vms", "stead"
OSDS = 3
# ceph-osd has to be set up after what it stands on, and daemons must not start by themselves.
INSTALL = """
printf '#!/bin/sh\\nexit 101\\n' >/usr/sbin/policy-rc.d; chmod +x /usr/sbin/policy-rc.d
dpkg --force-unsafe-io -i /srv/debs/*.deb >/dev/null 2>&1 || dpkg --force-unsafe-io -i /srv/debs/*.deb
rm /usr/sbin/policy-rc.d
"""
CONFIGURATION = """[global]
fsid = 5f0f3c52-94f0-4e0f-8b70-000000000001
mon initial members = HOST
mon host = ADDRESS
osd pool default size = 2
osd pool default min size = 1
osd pool default pg num = 8
osd pool default pg autoscale mode = off
osd crush chooseleaf type = 0
mon data avail warn = 1
mon data avail crit = 1
auth allow insecure global id reclaim = false
[osd]
osd memory target = 939524096
osd memory target autotune = false
bluestore block size = 4294967296
bluestore cache autotune = false
bluestore cache size = 67108864
bdev enable discard = false
[mgr]
mgr initial modules =
"""
BEGIN = """
set -e
cd /tmp
ring() { ceph-authtool "$@" >/dev/null; }
ring --create-keyring mon.ring --gen-key -n mon. --cap mon 'allow *'
ring --create-keyring /etc/ceph/ceph.client.admin.keyring --gen-key -n client.admin \
  --cap mon 'allow *' --cap osd 'allow *' --cap mgr 'allow *'
ring mon.ring --import-keyring /etc/ceph/ceph.client.admin.keyring
chown ceph:ceph mon.ring
monmaptool --create --add HOST ADDRESS --fsid 5f0f3c52-94f0-4e0f-8b70-000000000001 /tmp/monmap >/dev/null
install -d -o ceph -g ceph /var/lib/ceph/mon/ceph-HOST /var/lib/ceph/mgr/ceph-HOST
runuser -u ceph -- ceph-mon --mkfs -i HOST --monmap /tmp/monmap --keyring /tmp/mon.ring
systemctl start ceph-mon@HOST
timeout 120 ceph -s >/dev/null
ceph auth get-or-create mgr.HOST mon 'allow profile mgr' osd 'allow *' -o /var/lib/ceph/mgr/ceph-HOST/keyring
chown ceph:ceph /var/lib/ceph/mgr/ceph-HOST/keyring
systemctl start ceph-mgr@HOST
"""
OSD = """
set -e
uuid=$(cat /proc/sys/kernel/random/uuid) key=$(ceph-authtool --gen-print-key)
id=$(echo "{\\"cephx_secret\\": \\"$key\\"}" | ceph osd new $uuid -i -)
place=/var/lib/ceph/osd/ceph-$id file=/var/lib/stead/ceph-osd-$id
install -d -o ceph -g ceph $place
truncate -s 4G $file; chown ceph:ceph $file
ln -s $file $place/block; chown -h ceph:ceph $place/block
ceph-authtool --create-keyring $place/keyring --name osd.$id --add-key $key >/dev/null; chown ceph:ceph $place/keyring
runuser -u ceph -- ceph-osd -i $id --mkfs --osd-uuid $uuid 2>/dev/null
systemctl start ceph-osd@$id
"""
END = f"""
set -e
timeout 200 ceph osd pool create {POOL} 8; timeout 200 rbd pool init {POOL}
ceph auth get-or-create client.{USER} mon 'profile rbd' osd 'profile rbd pool={POOL}' mgr 'profile rbd pool={POOL}'
"""


def make_cluster(lab: Lab, server: str, clients: Sequence[str]) -> None:
    """On `server`, with the user's key on the clients too."""
    with ThreadPoolExecutor() as pool:
        list(pool.map(lambda host: _install(lab, host, CLUSTER if host == server else CLIENT), [server, *clients]))
    named = {"HOST": server, "ADDRESS": str(lab.host(server).address)}
    configuration = _with(CONFIGURATION, named)
    for host in (server, *clients):
        lab.run(host, ["sh", "-c", "cat >/etc/ceph/ceph.conf"], feed=configuration)
    _run(lab, server, _with(BEGIN, named))
    for _each in range(OSDS):
        _run(lab, server, OSD)
    keyring = _run(lab, server, END)
    for host in (server, *clients):
        path = f"/etc/ceph/ceph.client.{USER}.keyring"
        lab.run(host, ["sh", "-c", f"umask 077; cat >{path}"], feed=keyring)


def _run(lab: Lab, host: str, script: str) -> str:
    return lab.run(host, ["sh", "-c", script], timeout=600)


def _with(text: str, named: dict[str, str]) -> str:
    for name, value in named.items():
        text = text.replace(name, value)
    return text


def _install(lab: Lab, host: str, packages: Sequence[str]) -> None:
    there = lab.rooms.host(host) / "own/srv/debs"
    shutil.copytree(_fetched(lab, packages), there, ignore=shutil.ignore_patterns("partial", "lock"))
    _run(lab, host, INSTALL)


def _fetched(lab: Lab, packages: Sequence[str]) -> Path:
    """What a stocked host lacks of them."""
    base = (lab.rooms.top / "base").resolve()
    folder = paths.cache() / f"debs-{'-'.join(packages)}-{base.name}"
    (folder / "partial").mkdir(parents=True, exist_ok=True)
    words = ["apt-get", "-qq", "-y", "--no-install-recommends", "-o", "Debug::NoLocking=1"]
    words += ["-o", f"Dir::State::status={base}/stock/var/lib/dpkg/status", "-o", f"Dir::Cache::archives={folder}"]
    done = subprocess.run(
        [*words, "install", "--download-only", *packages], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, shlex.join(words) + done.stderr
    return folder
