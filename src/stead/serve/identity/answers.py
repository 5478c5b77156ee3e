"""How Identity v3 lists."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from stead.serve.listing import filtered
from stead.serve.routes import ApiReply, Call

V = "/identity/v3"


def listed(call: Call, name: str, items: Sequence[dict[str, Any]]) -> ApiReply:
    links = {"self": f"{call.root}{V}/{name}", "previous": None, "next": None}
    return ApiReply(body={name: filtered(call, items), "links": links})
