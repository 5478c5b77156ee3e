"""The host's half of driver rbd: images in a pool of a Ceph cluster, used by QEMU's own client.

A pool's path is POOL or USER@POOL. Where the cluster is and the user's key say /etc/ceph/ceph.conf and the user's
keyring on each host, so neither is in a want. A guest's QEMU is given the key by libvirt.
"""

from __future__ import annotations

import re

from ..base.errors import Failed, FailureCode
from ..base.work import Work
from . import ceph_keys, rbd_images
from .driver import DiskSource, HostStorageDriver, Pool, PoolRoom

MISNAMED = FailureCode("STEAD-E160", "the pool's path does not name a pool of Ceph")
SILENT = FailureCode("STEAD-E161", "the Ceph cluster does not answer this host")

PROTOCOL = "rbd"
_NAME = r"[A-Za-z0-9][A-Za-z0-9._-]*"
_PLACE = re.compile(r"(?:({0})@)?({0})\Z".format(_NAME))


def _place(pool: Pool) -> str:
    return str(pool.get("path") or pool["name"])


def _ceph(pool: Pool) -> rbd_images.Ceph:
    found = _PLACE.match(_place(pool))
    if found is None:
        text = "{0!r} of pool {1} does not. Write POOL or USER@POOL as its path in stead_pools."
        raise Failed(MISNAMED, text.format(_place(pool), pool.get("name", "")))
    return rbd_images.Ceph(found.group(1) or "stead", found.group(2))


def _disk(pool: Pool, name: str, _form: str) -> rbd_images.RbdImage:
    return rbd_images.RbdImage(_ceph(pool), name)


def _source(pool: Pool, name: str, _form: str) -> DiskSource:
    ceph = _ceph(pool)
    return DiskSource(
        ceph.url(name),
        protocol=PROTOCOL,
        name="{0}/{1}".format(ceph.pool, name),
        user=ceph.user,
        secret=ceph_keys.secret_of(ceph.user),
        secret_type=ceph_keys.TYPE,
    )


def _require(pool: Pool) -> None:
    ceph = _ceph(pool)
    why = ceph.silent()
    if why:
        text = "{0} Put ceph.conf and the keyring of client.{1} into /etc/ceph, and try `rbd --id {1} ls {2}`."
        raise Failed(SILENT, text.format(why, ceph.user, ceph.pool))


def _prepare(_pool: Pool, _work: Work) -> None:
    """The pool is the cluster's administrator's to make."""


def _reach(pool: Pool, work: Work) -> None:
    ceph_keys.give(_ceph(pool).user, work)


def _room(pool: Pool) -> PoolRoom:
    try:
        return _ceph(pool).room()
    except Failed:
        return {"size": 0, "free": 0}


DRIVER = HostStorageDriver(
    name="rbd",
    formats=("raw",),
    cluster=True,
    disk=_disk,
    source=_source,
    place=_place,
    there=lambda pool: not _ceph(pool).silent(),
    room=_room,
    require=_require,
    prepare=_prepare,
    reach=_reach,
    snapshot=lambda pool, uuid: _disk(pool, uuid + ".snapshot", "raw"),
)
