"""Who may do what in an object store of Stead's: a filter of Swift's proxy, on top of Swift's own `tempauth`.

Projects are read from a file that Stead writes, so that a new one needs no restart. Keys are made from the store's
secret, and tokens are signed with them: every proxy believes those of every other, and nothing has to be kept of one.

A project has its own account and no other. Whatever access list its people write, nobody without a key reads a bucket
that the site did not make public, and no other project ever does.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import time
from typing import Any, Callable, Mapping, Optional

from swift.common.middleware.tempauth import TempAuth
from swift.common.registry import register_swift_info

ADMIN = ".stead"  # no project can have this name
OWNER = "owner"
PREFIX = "AUTH_"
LOOKS = 1.0  # seconds between two looks at the file
READS = ("GET", "HEAD")
Env = dict[str, Any]


def key_of(secret: str, what: str) -> str:
    return hmac.new(secret.encode(), what.encode(), hashlib.sha256).hexdigest()


class NothingKept:
    """In place of a cache: tokens are not kept anywhere."""

    def get(self, _key: str) -> None:
        return None


class SteadAuth(TempAuth):  # type: ignore[misc,unused-ignore]
    def __init__(self, app: Any, conf: Mapping[str, Any]) -> None:
        super().__init__(app, conf)
        self._path = conf["accounts"]
        self._looked = 0.0
        self._seen: Optional[tuple[int, int]] = None
        self._public: dict[str, frozenset[str]] = {}
        self._read()

    def __call__(self, env: Env, start_response: Any) -> Any:
        self._read()
        return super().__call__(env, start_response)

    def _read(self) -> None:
        now = time.monotonic()
        if self._seen is not None and now - self._looked < LOOKS:
            return
        self._looked = now
        try:
            found = os.stat(self._path)
            seen = found.st_mtime_ns, found.st_ino
            if seen == self._seen:
                return
            with open(self._path, encoding="utf-8") as file:
                told = json.load(file)
        except (OSError, ValueError) as error:
            self.logger.error("%s cannot be read: %s", self._path, error)  # noqa: TRY400 - one line of a log
            return  # as they were
        self._take(told)
        self._seen = seen

    def _take(self, told: Mapping[str, Any]) -> None:
        secret: str = told["secret"]
        users: dict[str, dict[str, Any]] = {}
        public: dict[str, frozenset[str]] = {}
        if secret:
            users[ADMIN + ":admin"] = _user(key_of(secret, "admin"), ADMIN, [".reseller_admin"])
            for name, one in told["projects"].items():
                users[name + ":" + OWNER] = _user(key_of(secret, one["account"]), one["account"], [".admin"])
                public[PREFIX + one["account"]] = frozenset(one["public"])
        self.users, self._public = users, public

    def _get_user_groups(self, account: str, account_user: str, account_id: str) -> str:
        """Without the account of the project's name, which could be the identity of another project."""
        groups = [group for group in self.users[account_user]["groups"] if group != ".admin"]
        own = [account_id] if ".admin" in self.users[account_user]["groups"] else []
        return ",".join([account, account_user, *groups, *own])

    def get_groups(self, env: Env, token: Optional[str]) -> Optional[str]:
        details = env.get("s3api.auth_details")
        if details:
            return self._of_signature(env, details)
        return self._of_token(token)

    def _of_signature(self, env: Env, details: Mapping[str, Any]) -> Optional[str]:
        """Of a request of S3's, which names its account by the access key."""
        user = details["access_key"]
        found = self.users.get(user)
        if found is None or not details["check_signature"](found["key"]):
            return None
        account_id = found["url"].rsplit("/", 1)[-1]
        env["PATH_INFO"] = env["PATH_INFO"].replace(user, account_id, 1)
        return self._get_user_groups(user.split(":", 1)[0], user, account_id)

    def _of_token(self, token: Optional[str]) -> Optional[str]:
        try:
            expires, user, mark = (token or "")[len(PREFIX) + 2 :].split("/")
            over = int(expires) < time.time()
        except ValueError:
            return None
        found = self.users.get(user)
        if found is None or over or not hmac.compare_digest(mark.encode(), self._mark(found, expires, user).encode()):
            return None
        return self._get_user_groups(user.split(":", 1)[0], user, found["url"].rsplit("/", 1)[-1])

    @staticmethod
    def _mark(found: Mapping[str, Any], expires: str, user: str) -> str:
        return key_of(found["key"], "token " + expires + " " + user)

    def _create_new_token(self, _cache: Any, _account: str, account_user: str, _account_id: str) -> tuple[str, int]:
        expires = int(time.time() + self.token_life)
        mark = self._mark(self.users[account_user], str(expires), account_user)
        return "{}tk{}/{}/{}".format(PREFIX, expires, account_user, mark), expires

    def handle(self, env: Env, start_response: Any) -> Any:
        """A request for a token."""
        return super().handle({**env, "swift.cache": NothingKept()}, start_response)

    def authorize(self, req: Any) -> Any:
        """What `tempauth` allows, less what a list of the project's own making would open to others."""
        denied = super().authorize(req)
        if denied is not None or req.method == "OPTIONS" or self._allowed(req):
            return denied
        return self.denied_response(req)

    def _allowed(self, req: Any) -> bool:
        _version, account, container, _object = req.split_path(1, 4, True)
        groups = (req.remote_user or "").split(",")
        if account in groups or ".reseller_admin" in groups:
            return True
        return req.method in READS and container in self._public.get(account, ())


def _user(key: str, account: str, groups: list[str]) -> dict[str, Any]:
    return {"key": key, "url": "$HOST/v1/" + PREFIX + account, "groups": groups}


def filter_factory(global_conf: Mapping[str, Any], **local_conf: Any) -> Callable[[Any], SteadAuth]:
    conf = {**global_conf, **local_conf}
    register_swift_info("tempauth", account_acls=False)
    return lambda app: SteadAuth(app, conf)
