"""An object store by OpenStack Swift on three real hosts, with clients that nobody of us wrote: boto3 and swiftclient.

The tests of this file tell one story, in order: apply, use, change, lose a host, lose the power, destroy.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from ssl import create_default_context
from typing import Any

import boto3
import pytest
from botocore.client import Config
from botocore.exceptions import BotoCoreError, ClientError
from driving import Driven, prepare
from swiftclient.client import ClientException, Connection
from tests.serve.openstack_client import made_environment
from waiting import patiently

from stead.lab.site import Lab
from stead.lab.sizes import parse

pytestmark = [pytest.mark.lab, pytest.mark.long]

SIZES = {
    "hosts": {
        "storage": {"count": 3, "vars": {"stead_object_drivers": ["swift"]}},
        "network": {"count": 1, "roles": ["network", "controller"]},
    }
}
SPEC = """
stead: 1
object_stores:
  main: {driver: swift, secret: 0123456789abcdef0123456789abcdef, part_power: 6}
projects:
  acme:
    quota: {object_storage: 64MiB}
    buckets:
      data: {store: main}
      www: {store: main, public: true, website: {}, cors: {origins: ["https://example.org"]}}
      old: {store: main, versioning: true}
      small: {store: main, quota: 1MiB, objects: 3}
  rival:
    buckets:
      data: {store: main}
outputs:
  url: {value: "{{ projects.acme.buckets.www.url }}"}
  endpoints: {value: "{{ projects.acme.buckets.data.endpoints | join(' ') }}"}
"""
S3CMD = ("s3cmd==2.4.0",)
RCLONE_S3 = """[there]
type = s3
provider = Other
endpoint = {at}
access_key_id = acme:owner
secret_access_key = {key}
region = us-east-1
"""
RCLONE_SWIFT = """[there]
type = swift
auth = {at}/auth/v1.0
user = acme:owner
key = {key}
auth_version = 1
"""
ALL_OF_STEAD = "/var/lib/stead/* /etc/stead /etc/swift/* /usr/lib/stead /etc/systemd/system/stead-*"
DATA = b"kept on three hosts " * 1000
LOST = "storage-3"


@dataclass
class Store:
    driven: Driven
    ca: Path
    endpoints: list[str]
    keys: dict[str, str] = field(default_factory=dict)

    def output(self, name: str) -> str:
        return self.driven.stead("output", name).out.strip()

    def key(self, project: str) -> str:
        if project not in self.keys:
            told = self.driven.stead("credentials", f"{project}/buckets/data", "--json").out
            self.keys[project] = json.loads(told)["secret_key"]
        return self.keys[project]

    def s3(self, project: str = "acme", at: int = 0, **settings: Any) -> Any:
        return boto3.client(
            "s3",
            endpoint_url=self.endpoints[at],
            aws_access_key_id=f"{project}:owner",
            aws_secret_access_key=self.key(project),
            region_name="us-east-1",
            verify=str(self.ca),
            config=Config(
                s3={"addressing_style": "path"},
                retries={"max_attempts": 2},
                request_checksum_calculation="when_required",  # Swift 2.30 takes no trailers
                **settings,
            ),
        )

    def serves(self, at: int, key: str) -> bool:
        """A proxy that is being started answers nothing, or that it cannot."""
        try:
            return bool(self.s3(at=at).get_object(Bucket="data", Key=key)["Body"].read() == DATA)
        except (BotoCoreError, ClientError):
            return False

    def swift(self, project: str = "acme", at: int = 0, key: str = "") -> Connection:
        return Connection(
            authurl=f"{self.endpoints[at]}/auth/v1.0",
            user=f"{project}:owner",
            key=key or self.key(project),
            cacert=str(self.ca),
            retries=1,
        )

    def get(self, path: str, **headers: str) -> Any:
        request = urllib.request.Request(path, headers=headers)  # noqa: S310 - of the lab
        context = create_default_context(cafile=str(self.ca))
        return urllib.request.urlopen(request, context=context, timeout=30)  # noqa: S310

    def status(self, path: str) -> int:
        try:
            return int(self.get(path).status)
        except urllib.error.HTTPError as error:
            return error.code


@pytest.fixture(scope="module")
def store(make_lab: Callable[..., Lab], tmp_path_factory: pytest.TempPathFactory) -> Store:
    lab, folder = make_lab("o", parse(SIZES, "test")), tmp_path_factory.mktemp("objects")
    prepare(lab)
    driven = Driven(lab, folder)
    driven.write(SPEC)
    driven.stead("init", status=None)
    driven.apply()
    ca = folder / "ca.pem"
    ca.write_text(lab.run("storage-1", ["cat", "/etc/stead/object/tls/ca-cert.pem"]))
    found = Store(driven, ca, [])
    found.endpoints = found.output("endpoints").split()
    return found


def test_a_second_apply_changes_nothing(store: Store) -> None:
    assert len(store.endpoints) == 3
    assert all(one.startswith("https://") for one in store.endpoints)
    store.driven.assert_nothing_to_do()
    assert store.driven.stead("drift", status=None).status == 0


def test_clients_of_s3_and_swift_see_the_same_objects_through_every_proxy(store: Store) -> None:
    s3 = store.s3(at=0)
    assert {one["Name"] for one in s3.list_buckets()["Buckets"]} == {"data", "www", "old", "small"}
    s3.put_object(Bucket="data", Key="a/b", Body=DATA, Metadata={"who": "ada"})
    _headers, body = store.swift(at=1).get_object("data", "a/b")
    assert body == DATA
    found = store.s3(at=2).get_object(Bucket="data", Key="a/b")
    assert (found["Body"].read(), found["Metadata"]) == (DATA, {"who": "ada"})
    signed = s3.generate_presigned_url("get_object", Params={"Bucket": "data", "Key": "a/b"})
    assert store.get(signed).read() == DATA


def test_s3cmd_puts_lists_gets_and_removes_in_parts_and_whole(store: Store, tmp_path: Path) -> None:
    address = store.endpoints[1].removeprefix("https://")
    own = ["--access_key=acme:owner", f"--secret_key={store.key('acme')}", f"--host={address}"]
    own += [f"--host-bucket={address}", f"--ca-certs={store.ca}", "--region=us-east-1", "--config=/dev/null"]
    program = made_environment(S3CMD).with_name("s3cmd")
    big = tmp_path / "big"
    big.write_bytes(os.urandom(6 << 20))

    def s3cmd(*words: str) -> str:
        done = subprocess.run([program, *own, *words], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr[-2000:]
        return done.stdout

    s3cmd("put", "--multipart-chunk-size-mb=5", str(big), "s3://data/s3cmd/big")
    assert "s3cmd/big" in s3cmd("ls", "s3://data/s3cmd/")
    s3cmd("get", "s3://data/s3cmd/big", str(tmp_path / "back"))
    assert (tmp_path / "back").read_bytes() == big.read_bytes()
    s3cmd("cp", "s3://data/s3cmd/big", "s3://data/s3cmd/copy")
    s3cmd("del", "--recursive", "--force", "s3://data/s3cmd/")
    assert s3cmd("ls", "s3://data/s3cmd/") == ""


@pytest.mark.parametrize("kind", ["s3", "swift"])
def test_rclone_syncs_a_tree_and_finds_no_difference(store: Store, tmp_path: Path, kind: str) -> None:
    tree = tmp_path / "tree"
    for number in range(5):
        (tree / f"d{number}").mkdir(parents=True)
        (tree / f"d{number}" / "ö e.txt").write_text(f"{number}" * 1000)
    told = {"s3": RCLONE_S3, "swift": RCLONE_SWIFT}[kind].format(at=store.endpoints[2], key=store.key("acme"))
    (tmp_path / "rclone.conf").write_text(told)
    own = [_rclone(tmp_path), f"--config={tmp_path}/rclone.conf", f"--ca-cert={store.ca}"]
    there = f"there:data/rclone-{kind}"
    for words in (["sync", tree, there], ["check", "--download", tree, there], ["purge", there]):
        # What the environment says to programs of Amazon's is not for this store.
        own_world = {"PATH": os.environ["PATH"], "HOME": str(tmp_path)}
        done = subprocess.run([*own, *words], capture_output=True, text=True, check=False, timeout=300, env=own_world)
        assert done.returncode == 0, done.stderr[-2000:]


def _rclone(folder: Path) -> str:
    """The distribution's, unpacked where it is not installed."""
    found = shutil.which("rclone")
    if found is None:
        subprocess.run(["apt-get", "-q", "download", "rclone"], cwd=folder, check=True, capture_output=True)
        package = next(folder.glob("rclone_*.deb"))
        subprocess.run(["dpkg", "-x", package, folder / "rclone"], check=True)
    return found or str(folder / "rclone/usr/bin/rclone")


def test_a_large_object_comes_in_parts(store: Store) -> None:
    s3, part = store.s3(), b"x" * (5 << 20)
    upload = s3.create_multipart_upload(Bucket="data", Key="large")["UploadId"]
    where = {"Bucket": "data", "Key": "large", "UploadId": upload}
    tags = [
        {"PartNumber": number, "ETag": s3.upload_part(**where, PartNumber=number, Body=body)["ETag"]}
        for number, body in ((1, part), (2, b"end"))
    ]
    s3.complete_multipart_upload(**where, MultipartUpload={"Parts": tags})
    assert s3.head_object(Bucket="data", Key="large")["ContentLength"] == len(part) + 3


def test_versions_are_kept_where_the_spec_says_so(store: Store) -> None:
    s3 = store.s3()
    for body in (b"one", b"two"):
        s3.put_object(Bucket="old", Key="x", Body=body)
    s3.delete_object(Bucket="old", Key="x")
    versions = s3.list_object_versions(Bucket="old")["Versions"]
    assert len(versions) == 2
    first = s3.get_object(Bucket="old", Key="x", VersionId=versions[-1]["VersionId"])
    assert first["Body"].read() == b"one"


def test_quotas_of_buckets_and_of_projects_hold(store: Store) -> None:
    s3 = store.s3()
    with pytest.raises(ClientError) as large:
        s3.put_object(Bucket="small", Key="big", Body=b"x" * (2 << 20))
    assert large.value.response["ResponseMetadata"]["HTTPStatusCode"] in (400, 413)
    s3.put_object(Bucket="small", Key="fits", Body=b"x" * (1 << 19))
    with pytest.raises(ClientException) as refused:
        store.swift().put_object("data", "big", b"x" * (65 << 20))
    assert refused.value.http_status == 413
    with pytest.raises(ClientException) as refused:  # nobody raises his own
        store.swift().post_account({"X-Account-Meta-Quota-Bytes": str(1 << 40)})
    assert refused.value.http_status == 403


def test_everybody_reads_a_public_website_and_nothing_else(store: Store) -> None:
    url = store.output("url")
    store.s3().put_object(Bucket="www", Key="index.html", Body=b"<p>hello", ContentType="text/html")
    assert store.get(f"{url}/").read() == b"<p>hello"
    told = store.get(f"{url}/index.html", Origin="https://example.org").headers
    assert told["Access-Control-Allow-Origin"] == "https://example.org"
    data = url.replace("/www", "/data")
    assert store.status(f"{data}/a/b") == 401
    store.swift().post_container("data", {"X-Container-Read": ".r:*,.rlistings"})  # of a project without the grant
    assert store.status(f"{data}/a/b") == 401


def test_no_project_reaches_another_ones_account(store: Store) -> None:
    rival, account = store.swift("rival"), store.output("url").rpartition("/")[0]
    rival_url, token = rival.get_auth()
    assert rival_url.rpartition("/")[2] != account.rpartition("/")[2]
    owner = store.swift()
    owner.post_container("data", {"X-Container-Read": "rival:owner", "X-Container-Write": "rival:owner"})
    owner.post_account({"X-Account-Access-Control": json.dumps({"admin": ["rival:owner"]})})
    there = Connection(preauthurl=account, preauthtoken=token, cacert=str(store.ca), retries=0)
    for asked in (
        there.get_account,
        lambda: there.get_object("data", "a/b"),
        lambda: there.put_object("data", "mine", b"x"),
        lambda: there.delete_object("data", "a/b"),
    ):
        with pytest.raises(ClientException) as refused:
            asked()
        assert refused.value.http_status == 403
    assert "Contents" not in store.s3("rival").list_objects_v2(Bucket="data")


def test_no_key_and_no_token_is_made_up(store: Store) -> None:
    for key in ("x", "0" * 64, store.key("rival")):
        with pytest.raises(ClientException) as refused:
            store.swift(key=key).get_account()
        assert refused.value.http_status == 401
    url, token = store.swift("rival").get_auth()
    forged = token.replace("rival:owner", "acme:owner")
    account = store.output("url").rpartition("/")[0]
    assert forged != token
    for one in (forged, token.replace("/rival", "0/rival", 1), token[:-1], "AUTH_tk", "AUTH_tk//"):
        with pytest.raises(ClientException) as refused:
            Connection(preauthurl=account, preauthtoken=one, cacert=str(store.ca), retries=0).get_account()
        assert refused.value.http_status == 401
    assert url


def test_what_hosts_say_to_each_other_is_for_them_alone(store: Store) -> None:
    ports = store.driven.run("storage-1", "ss -Hltn | awk '{print $4}' | grep -E ':(873|620[0-2]|8080)$'").split()
    assert len(set(ports)) == 5
    address = store.endpoints[0].removeprefix("https://").rpartition(":")[0]
    assert {one.rpartition(":")[0] for one in ports} == {address}
    for port in (873, 6200, 6201, 6202):
        tries = f"timeout 3 bash -c '</dev/tcp/{address}/{port}' && echo open || echo closed"
        assert "open" in store.driven.run("storage-2", tries)
        assert "closed" in store.driven.run("network-1", tries), "a host that is not of the store"
        other = f'runuser -u nobody -- sh -c "{tries}"'
        assert "closed" in store.driven.run("storage-2", other), "a user of a host is not the store"
    modes = store.driven.run("storage-1", "stat -c '%a %U %G' /etc/stead/object/accounts.json").split()
    assert modes == ["640", "root", "swift"]


def test_what_somebody_changed_by_hand_is_drift_and_is_put_right(store: Store) -> None:
    said = store.driven.stead("drift", status=None)
    assert "acme/buckets/data" in said.text, "its access list was changed above"
    store.driven.run("storage-2", "systemctl stop stead-object-proxy-server.service")
    said = store.driven.stead("drift", status=None)
    assert "object_stores/main" in said.text
    store.driven.apply()
    store.driven.assert_nothing_to_do()
    assert store.s3(at=1).get_object(Bucket="data", Key="a/b")["Body"].read() == DATA


def test_a_host_that_dies_takes_no_object_with_it(store: Store) -> None:
    lab = store.driven.lab
    lab.crash(lab.host(LOST))
    began = time.monotonic()
    assert store.s3(at=0, read_timeout=60).get_object(Bucket="data", Key="a/b")["Body"].read() == DATA
    read = time.monotonic() - began
    began = time.monotonic()
    store.s3(at=1, read_timeout=60).put_object(Bucket="data", Key="later", Body=DATA)
    print(f"with a host dead: read after {read:.1f} s, written after {time.monotonic() - began:.1f} s")


def test_a_boot_brings_all_programs_back_and_copies_come_home(store: Store) -> None:
    lab = store.driven.lab
    lab.start([lab.host(LOST)])
    began = time.monotonic()
    patiently(lambda: store.serves(2, "later"), 180)
    print(f"the proxy of the host serves {time.monotonic() - began:.1f} s after it answers")
    store.driven.assert_nothing_to_do()
    find = "grep -l 'kept on three' -r /var/lib/stead/objects/d1/objects | wc -l"
    patiently(lambda: int(store.driven.run(LOST, find).strip() or 0) >= 2, 300)
    print(f"it has the copies that it missed after {time.monotonic() - began:.1f} s")


def copies(store: Store, host: str) -> int:
    return int(store.driven.run(host, "find /var/lib/stead/objects/d1/objects -name '*.data' | wc -l"))


def comes_home(store: Store, began: float) -> None:
    """All copies are on the host again, and it serves them."""
    patiently(lambda: copies(store, LOST) == copies(store, "storage-1"), 300)
    print(f"it had all copies {time.monotonic() - began:.1f} s after the apply began")
    assert store.serves(2, "without")
    store.driven.assert_nothing_to_do()


def test_a_host_called_dead_starts_nothing_until_it_belongs_to_the_store_again(store: Store) -> None:
    lab = store.driven.lab
    lab.crash(lab.host(LOST))
    said = store.driven.apply("--confirm-dead", LOST)
    assert "STEAD-V053" in said.text, "two copies in place of three are told, and refuse no plan"
    store.s3(at=0).put_object(Bucket="data", Key="without", Body=DATA)
    lab.start([lab.host(LOST)])
    journal = "journalctl --boot --output=cat --unit stead-boot.service"
    patiently(lambda: "was called dead" in store.driven.run(LOST, journal), 120)
    assert "stead-object-" not in store.driven.run(LOST, "systemctl list-units --plain --no-legend 'stead-object-*'")
    began = time.monotonic()
    store.driven.apply()
    print(f"one apply took it in again in {time.monotonic() - began:.1f} s")
    comes_home(store, began)


def test_an_empty_host_in_place_of_a_lost_one_gets_all_copies_by_one_apply(store: Store) -> None:
    lab = store.driven.lab
    store.driven.run(LOST, f"systemctl stop 'stead-*'; rm -rf {ALL_OF_STEAD}; sync")
    lab.crash(lab.host(LOST))
    lab.start([lab.host(LOST)])
    assert store.driven.run(LOST, "ls -A /var/lib/stead | wc -l").strip() == "0"
    prepare(lab)
    began = time.monotonic()
    store.driven.apply()
    print(f"one apply made the store on an empty host in {time.monotonic() - began:.1f} s")
    comes_home(store, began)


def test_destroying_a_bucket_with_objects_asks_for_its_consent(store: Store) -> None:
    store.driven.write(SPEC.replace("      old: {store: main, versioning: true}\n", ""))
    refused = store.driven.apply(status=None)
    assert refused.status != 0
    assert "old" in {one["Name"] for one in store.s3().list_buckets()["Buckets"]}
    store.driven.apply("--max-disruption", "data-loss")
    assert "old" not in {one["Name"] for one in store.s3().list_buckets()["Buckets"]}
    store.driven.assert_nothing_to_do()


def test_nothing_is_left_when_all_is_destroyed(store: Store) -> None:
    store.driven.destroy()
    for host in ("storage-1", "storage-2", "storage-3"):
        assert store.driven.run(host, "systemctl list-units --all --plain --no-legend 'stead-object-*'").strip() == ""
        assert store.driven.run(host, "find /var/lib/stead/objects -type f | wc -l").strip() == "0"
        assert store.driven.run(host, "nft list tables").count("stead_object") == 0
