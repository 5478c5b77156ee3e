"""The vocabulary in which a kind describes its fields.

A model is a frozen dataclass whose annotations say everything: the type, the form in YAML, the help and an example.
The reader, the JSON Schema and the reference manual are all made from them. Inside `Annotated[...]`:

- a plain string is the field's description (every field has one), `Example(...)` shows a value;
- a `Form` below says how a scalar is written and checked; without one the type decides (`str`, `int`, `float`,
  `bool`, `Literal[...]`);
- another dataclass is a nested record; `tuple[X, ...]` a list; `Mapping[str, X]` a map with names as keys;
  `X | None` may be left out; `Ref(...)` names another resource; `A | B` takes a scalar or a record.

A record whose class has `SHORT: ClassVar[str] = "network"` may be written as the scalar of that field alone; with
`AFTER_COLON: ClassVar[str] = "port"` too, as `web:80`, the second field after the last colon.
A field without a default is required. A trailing underscore keeps a word of Python's apart: `from_` is `from`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from stead.core.diagnostics import Place
from stead.core.named import NamedTuple
from stead.core.value import positional


class Form:
    """Marks how a scalar can be written. Only a tag: the behaviour is in the reader."""

    __slots__ = ()


@positional
class Text(Form):
    """A string without control characters. `late` may use `{{ }}` over chosen values (addresses, hosts); `secret` is
    never shown or stored. These two, and what has `lines`, may have line breaks and tabs.
    """

    pattern: str = ""
    what: str = ""  # names the pattern in messages: "a DNS name"
    longest: int = 0
    late: bool = False
    secret: bool = False
    lines: bool = False


INVENTORY = Text(pattern=r".*", what="one line", longest=255)  # a name as the inventory has it
LINES = Text(lines=True)
LINE = Text(pattern=r".*", what="one line")


@positional
class Whole(Form):
    least: int | None = None
    most: int | None = None


@positional
class Size(Form):
    """Bytes, written with a unit: 512MiB, 10GiB, 2TiB (or GB, TB in tens). A bare number is refused."""

    least: int = 1


@positional
class Duration(Form):
    """Seconds, written with a unit: 30s, 5m, 2h, 7d."""


@positional
class Milliseconds(Form):
    """Thousandths of a second, written with a unit: 300ms, 2s."""

    least: int = 1


@positional
class Ip(Form):
    """One address, kept as text in its shortest form."""

    version: int = 0  # 4, 6, or either


@positional
class Cidr(Form):
    """A network such as 10.0.0.0/24; host bits are refused."""

    version: int = 0


@positional
class Range(Form):
    """First-last of addresses: 10.0.0.10-10.0.0.99."""


@positional
class Ports(Form):
    """A port, or first-last: 22, 8000-8010. Kept as the text "22" or "8000-8010"."""


@positional
class Mac(Form):
    pass


@positional
class Name(Form):
    """A new name, in the form of a DNS label."""


@positional
class Path(Form):
    """A file of the user's, relative to the file that names it."""


@positional
class Ref(Form):
    """The name of another resource of this kind (its plural): in the same project first, then the site's.

    `web` may mean every member of a counted block where `many` says so, else `web[0]` is written out. An orderly
    reference puts the other first at creation and last at destruction.
    """

    kind: str
    many: bool = False
    orderly: bool = True


@positional
class Filled(Form):
    """A list that must not be empty, because an empty list would mean the opposite of what it seems to mean."""

    unsaid: str = ""  # what leaving the list out means; nothing where it cannot be left out


@positional
class Anything(Form):
    """Any YAML value, kept as JSON types."""

    late: bool = False


@positional
class Limits(Form):
    """The most of each thing that is counted: a record whose fields are the quota words of all kinds."""


@positional
class Example:
    value: Any


@positional
class Granted:
    """A note on a field, not a form: a project file that sets it to anything but the default needs the grant of this
    name for it. Of a map the keys need it.
    """

    grant: str
    prefix: str = ""  # of the value, as the grant has it


class Secret:
    """A value that must never be shown. It has no text form. Only `reveal` returns it, at the very end of an apply."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        return self._text

    def __repr__(self) -> str:
        return "Secret(…)"

    __str__ = __repr__

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other._text == self._text

    def __hash__(self) -> int:
        return hash(self._text)


class Password(NamedTuple):
    """Of Ansible Vault. `name` is its vault id, for which a project can have a grant."""

    secret: Secret
    name: str = ""


class Expression:
    """A scalar with `{{ }}` that is evaluated later: its value is known only after the choices are made."""

    __slots__ = ("lines", "path", "place", "prefix", "secret", "text", "variables")

    def __init__(self, text: str, path: str = "", place: Place | None = None, *, secret: bool = False) -> None:
        self.text = text
        self.path = path  # where in the block: "cloud_init.user_data"
        self.place = place
        self.secret = secret  # it uses a secret, so what comes out is one
        self.variables: Mapping[str, Any] | None = None  # `vars` as they are where it stands
        self.prefix = ""  # of names where it stands, in an included part: "blue-"
        self.lines = False  # written as a block (`|`), so its lines are lines of the file

    def place_within(self, line: int) -> Place | None:
        """The place of a line of the text, counted from 1."""
        if self.place is None or not self.lines:
            return self.place
        return Place(self.place.file, self.place.line + line, 1)

    def __repr__(self) -> str:
        return f"Expression({self.text!r})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Expression) and (self.text, self.prefix) == (other.text, other.prefix)

    def __hash__(self) -> int:
        return hash(self.text)
