"""`stead_serve` of a host: that it runs the API, and how. Bootstrap does what it says; `stead doctor` looks at it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from stead.core.value import value
from stead.site.inventory.variables import Bad, mapping, text, whole

SERVE = "stead_serve"
PORT = 8774
_FIELDS = frozenset({"site", "port", "names", "certificate", "key"})


@value
class ApiSettings:
    """Of one host: the API's port there, and whether its certificate is Stead's."""

    port: int = PORT
    own: bool = True


def serving_of(given: Any) -> ApiSettings:
    body: Mapping[str, Any] = {} if given is None else mapping(given)
    if unknown := sorted(body.keys() - _FIELDS):
        raise Bad(f"has {unknown[0]!r}: it has {', '.join(sorted(_FIELDS))}")
    if ("certificate" in body) != ("key" in body):
        raise Bad("has one of certificate and key: a certificate of the site's needs both, files on that host")
    for name in ("certificate", "key"):
        if name in body and not text(body[name]).startswith("/"):
            raise Bad(f"has {name} {body[name]!r}: write the whole path of a file on that host")
    names = body.get("names", [])
    if not isinstance(names, list) or not all(isinstance(one, str) and one for one in names):
        raise Bad(f"has names {names!r}: write a list of names and addresses")
    port = whole(body.get("port", PORT))
    if not 1024 <= port < 65536:
        raise Bad(f"has port {port}: the API runs without root, so it is from 1024 to 65535")
    return ApiSettings(port=port, own="certificate" not in body)
