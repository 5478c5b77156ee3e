"""A bucket of objects in an object store, with the settings that its project gives it."""

from stead.core.effect import IN_PLACE, NAMED, REPLACED, Data
from stead.core.kind import Kind, QuotaWord, Scope
from stead.kinds.bucket.model import Bucket
from stead.kinds.bucket.realise import contribute, credentials, demand, facts, realise, usage
from stead.kinds.bucket.rules import check
from stead.kinds.bucket.unmanaged import leaves, retained

KIND = Kind(
    name="bucket",
    plural="buckets",
    scope=Scope.PROJECT,
    model=Bucket,
    help="A bucket of objects, for clients of S3 and Swift.",
    highlights=("store.address", "quota", "versioning", "public"),
    counted=True,
    single=True,
    stateful=True,
    holds=lambda _want: Data.SHARED,
    check=check,
    demand=demand,
    retained=retained,
    leaves=leaves,
    quota={
        "buckets": QuotaWord("Buckets"),
        "object_storage": QuotaWord("Bytes in all buckets together", size=True, example="1TiB"),
    },
    usage=usage,
    contribute=contribute,
    realise=realise,
    credentials=credentials,
    facts=facts,
    seen={
        "name": "its name; of a member with the index or key: `web-0`",
        "uuid": "its UUID",
        "bucket": "its name in the store",
        "endpoints": "URLs of the store for clients of S3, one of each host; Swift's clients add `/auth/v1.0`",
        "url": "its URL by Swift's interface, at the first host",
        "access_key": "access key of the project, and its user for clients of Swift",
        "secret_key": "secret key of the project",
        "store": "its object store",
    },
    effects={
        **NAMED,
        "account": REPLACED,
        "bucket": REPLACED,
        "store": IN_PLACE,
        "store.address": IN_PLACE,
        "store.driver": REPLACED,
        "store.uuid": REPLACED,
        **dict.fromkeys(("account_quota", "cors", "objects", "public", "quota", "versioning", "website"), IN_PLACE),
    },
    parts=("settings",),
    identity=("store",),
    field_map={"account": "", "account_quota": "", "bucket": ""},
    words={
        "account": "account of its project",
        "account_quota": "quota of its project",
        "bucket": "name in the store",
        "store.address": "object store",
    },
)
