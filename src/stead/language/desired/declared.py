"""What is said of a variable, and whether a value is as it was said."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from stead.core.fields import Anything, Example, Expression, Secret, Text
from stead.core.value import value
from stead.language.desired.generated import LONGEST, SHORTEST, Generate
from stead.language.expressions import BoundExceeded, evaluate
from stead.language.reading.scalars import UNITS

_TYPES: Mapping[str, tuple[type, ...]] = {
    "string": (str,),
    "number": (int, float),
    "integer": (int,),
    "bool": (bool,),
    "list": (list,),
    "map": (dict,),
    "size": (str,),
}
# Types that are written as text, so that what comes from a command line is one as it stands: -e version=12
TEXTS = ("string", "size")
_SIZE = re.compile(rf"[0-9]+(\.[0-9]+)?\s*({'|'.join(UNITS)})")


@value
class Declared:
    """What is said of a variable. `name: value` alone declares a default."""

    type: Annotated[
        Literal["string", "number", "integer", "bool", "list", "map", "size", "any"], "Type of its value"
    ] = "any"
    default: Annotated[Any, Anything(late=True), "Value when none is given; without one it must be"] = None
    file: Annotated[
        str,
        Text(),
        "A text file beside this one, whose contents are the value when none is given. Braces in it are no expressions",
        Example("scripts/setup.sh"),
    ] = ""
    description: Annotated[str, Text(lines=True), "For people"] = ""
    secret: Annotated[bool, "Never shown, never stored"] = False
    generate: Annotated[
        Generate | None, "Stead makes up the value, a secret text, if none is given", Example({"length": 32})
    ] = None
    choices: Annotated[tuple[Any, ...], Anything(), "Possible values", Example(["small", "large"])] = ()
    pattern: Annotated[str, Text(), "A regular expression that the whole text must match"] = ""
    min: Annotated[float | None, "Least number, or shortest text or list"] = None
    max: Annotated[float | None, "Greatest number, or longest text or list"] = None
    check: Annotated[
        str | Expression, Text(late=True), "A condition on `value`", Example("{{ value is divisibleby 2 }}")
    ] = ""
    message: Annotated[str, Text(), "What to say of a value that is not allowed"] = ""

    @property
    def hidden(self) -> bool:
        return self.secret or self.generate is not None


def badly_declared(declared: Declared) -> tuple[str, str]:
    """The field that cannot be so, and why; or nothing."""
    if declared.secret and declared.type in ("list", "map"):
        return "type", "A secret is a text. Declare a variable for each of those in the list or map."
    if declared.generate is not None and declared.type not in ("string", "any"):
        return "type", "What is generated is a text: `type: string`."
    if declared.generate is not None and not SHORTEST <= declared.generate.length <= LONGEST:
        return "generate", f"`length` is from {SHORTEST} to {LONGEST}."
    if declared.check and not isinstance(declared.check, Expression):
        return "check", "A check is a condition in {{ }} on `value`: {{ value > 1 }}."
    try:
        re.compile(declared.pattern)
    except (re.error, OverflowError, RecursionError) as error:
        return "pattern", f"It is not a regular expression: {error}."
    return "", ""


def wrong(declared: Declared, given: Any) -> str:
    """What is wrong with a value, or nothing."""
    types = _TYPES.get(declared.type)
    if types is not None and (not isinstance(given, types) or (isinstance(given, bool) and bool not in types)):
        return f"is not of type {declared.type}"
    if declared.type == "size" and not _SIZE.fullmatch(given):
        return "is not a size such as 10GiB"
    if declared.choices and given not in declared.choices:
        return f"is none of {', '.join(map(str, declared.choices))}"
    return _unlike_pattern(declared, given) or _out_of_range(declared, given) or _refused(declared, given)


def _unlike_pattern(declared: Declared, given: Any) -> str:
    if not declared.pattern:
        return ""
    from stead.language.patterns import TooLong, fits

    try:
        return "" if fits(declared.pattern, str(given)) else f"does not match {declared.pattern}"
    except TooLong:
        return f"takes {declared.pattern} too long: let no repeat in it stand inside another of the same"


def _out_of_range(declared: Declared, given: Any) -> str:
    measure = len(given) if isinstance(given, str | list | dict) else given
    if not isinstance(measure, int | float):
        return ""
    what = "" if measure is given else "in length "
    if declared.min is not None and not measure >= declared.min:
        return f"is {what}below the least, {declared.min:g}"
    if declared.max is not None and not measure <= declared.max:
        return f"is {what}above the most, {declared.max:g}"
    return ""


def _refused(declared: Declared, given: Any) -> str:
    if not isinstance(declared.check, Expression):
        return ""
    try:
        held = evaluate(declared.check.text, {"value": given})
    except BoundExceeded as failure:
        return f"cannot be checked: {failure}" if not declared.hidden else "cannot be checked"
    return "" if held else f"does not meet {declared.check.text}"


def shown(given: Any) -> str:
    """A value in a message."""
    match given:
        case Secret():
            return "its value"
        case list():
            return "a list"
        case dict():
            return "a map"
        case str() if len(given) > 60:
            return "a text"
        case str():
            return repr(given)
        case None:
            return "nothing"
        case bool():
            return str(given).lower()
        case _:
            return f"'{given}'"
