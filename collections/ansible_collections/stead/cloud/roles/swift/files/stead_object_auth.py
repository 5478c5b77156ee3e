"""Who may do what in an object store of Stead's: a filter of Swift's proxy, on top of Swift's own `tempauth`.

Projects are read from a file that Stead writes, so that a new one needs no restart. Keys are made from the store's
secret, and tokens are signed with them: every proxy believes those of every other, and nothing has to be kept of one.

Tokens of `stead serve` are good too, where the store says so (`stead_object_tokens`).

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

from stead_object_tokens import SIGN, ApiSilentError, ApiTokens
from swift.common.middleware.tempauth import TempAuth
from swift.common.registry import register_swift_info
from swift.common.swob import HTTPServiceUnavailable, Request
from swift.common.utils import split_path
from swift.common.wsgi import make_pre_authed_request
from swift.proxy.controllers.base import get_account_info, get_cache_key

ADMIN = ".stead"  # no project can have this name
OWNER = "owner"
PREFIX = "AUTH_"
LOOKS = 1.0  # seconds between two looks at the file
READS = ("GET", "HEAD")
READER = ".reads:"  # of an account that follows
API = PREFIX + "api"  # before a token of `stead serve`
Env = dict[str, Any]


def key_of(secret: str, what: str) -> str:
    return hmac.new(secret.encode(), what.encode(), hashlib.sha256).hexdigest()


class NothingKept:
    """In place of a cache: tokens are not kept anywhere."""

    def get(self, _key: str) -> None:
        return None


class AccountQuotas:
    """Before a project writes, its account has the quota that the site gave it: nobody else makes the account."""

    def __init__(self, app: Any) -> None:
        self._app = app
        self.most: Optional[dict[str, int]] = None  # by account, where all quotas are told

    def __call__(self, env: Env, start_response: Any) -> Any:
        writes = env["REQUEST_METHOD"] in ("PUT", "POST", "COPY") and not env.get("reseller_request")
        if self.most is not None and writes and not self._has_its_own(env, self.most):
            return HTTPServiceUnavailable(request=Request(env))(env, start_response)
        return self._app(env, start_response)

    def _has_its_own(self, env: Env, most: Mapping[str, int]) -> bool:
        try:
            _version, account, _rest = split_path(env["PATH_INFO"], 2, 3, True)
        except ValueError:
            return True
        wanted = str(most.get(account, ""))
        if not account.startswith(PREFIX) or get_account_info(env, self._app)["meta"].get("quota-bytes", "") == wanted:
            return True
        asked = make_pre_authed_request(env, "POST", "/v1/" + account, swift_source="ST")
        asked.headers["X-Account-Meta-Quota-Bytes"] = wanted
        asked.environ["reseller_request"] = True
        answer = asked.get_response(self._app)
        env.get("swift.infocache", {}).pop(get_cache_key(account), None)
        return bool(answer.is_success)


class SteadAuth(TempAuth):  # type: ignore[misc,unused-ignore]
    def __init__(self, app: Any, conf: Mapping[str, Any]) -> None:
        self._quotas = AccountQuotas(app)
        super().__init__(self._quotas, conf)
        self._path = conf["accounts"]
        self._looked = 0.0
        self._seen: Optional[tuple[int, int]] = None
        self._public: dict[str, frozenset[str]] = {}
        self._api: Any = None
        self._tokens: Optional[ApiTokens] = None
        self._read()

    def __call__(self, env: Env, start_response: Any) -> Any:
        self._read()
        token = str(env.get("HTTP_X_AUTH_TOKEN") or env.get("HTTP_X_STORAGE_TOKEN") or "")
        if token.startswith(SIGN):
            env["HTTP_X_AUTH_TOKEN"] = API + token
        try:
            return super().__call__(env, start_response)
        except ApiSilentError as error:
            self.logger.error("The API does not say whose a token is: %s", error)  # noqa: TRY400 - one line of a log
            return HTTPServiceUnavailable(request=Request(env))(env, start_response)

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
        quotas = {PREFIX + one["account"]: one["quota"] for one in told["projects"].values() if "quota" in one}
        self._quotas.most = quotas if told.get("api") else None
        if told.get("api") != self._api or self._tokens is None:
            self._api = told.get("api")
            self._tokens = self._asking(self._api) if self._api else None

    def _asking(self, api: Mapping[str, Any]) -> Optional[ApiTokens]:
        try:
            return ApiTokens(api)
        except (OSError, ValueError) as error:
            self.logger.error("Tokens are not accepted: %s", error)  # noqa: TRY400 - one line of a log
            return None

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

    def _of_api(self, token: str) -> Optional[str]:
        holder = self._tokens.holder(token) if self._tokens is not None else None
        if holder is None:
            return None
        account = PREFIX + holder.account
        may = account if holder.writes else READER + account
        return ",".join([holder.account, holder.account + ":" + holder.user, may])

    def _of_token(self, token: Optional[str]) -> Optional[str]:
        if token is not None and token.startswith(API):
            return self._of_api(token[len(API) :])
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
        if self._reads(req):
            return None
        denied = super().authorize(req)
        if denied is not None or req.method == "OPTIONS" or self._allowed(req):
            return denied
        return self.denied_response(req)

    @staticmethod
    def _reads(req: Any) -> bool:
        """Of somebody whose role lets him read all of his project, and no more."""
        try:
            account = req.split_path(1, 4, True)[1]
        except ValueError:
            return False
        return req.method in READS and READER + str(account) in (req.remote_user or "").split(",")

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
