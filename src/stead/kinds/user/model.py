"""What a site's files may say of somebody who uses the cloud. A password is never among it."""

from __future__ import annotations

from typing import Annotated

from stead.core.fields import Example, Text
from stead.core.value import value

LOGIN = Text(pattern=r"[A-Za-z0-9][A-Za-z0-9._@+-]*", what="letters, digits and . _ @ + -", longest=255)
MAIL = Text(pattern=r"[^\s@]+@[^\s@]+", what="an e-mail address", longest=254)


@value
class UserAccount:
    login: Annotated[
        str, LOGIN, "Name to log in with; left out, the name of this entry", Example("ada@example.org")
    ] = ""
    admin: Annotated[
        bool, "Admin of the whole cloud, and one of the site's operators: may change what is the site's own"
    ] = False
    enabled: Annotated[bool, "`false` lets the user in nowhere, and no token or session holds"] = True
    email: Annotated[str, MAIL, "E-mail address", Example("ada@example.org")] = ""
    description: Annotated[str, Text(lines=True), "For people"] = ""

    def named(self, key: str) -> str:
        return self.login or key
