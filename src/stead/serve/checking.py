"""What comes as JSON against its schema."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import jsonschema

from stead.serve.faults import bad


def checker(schema: Mapping[str, Any] | None) -> Callable[[Any], None]:
    """Made when it is first needed: compiling all of them would be most of the start."""
    validators: list[Any] = []

    def check(body: Any) -> None:
        if not validators:
            validators.append(jsonschema.Draft202012Validator(schema))
        error = jsonschema.exceptions.best_match(validators[0].iter_errors(body))
        if error is not None:
            where = "/".join(map(str, error.absolute_path)) or "the body"
            raise bad(f"Invalid input for {where}: {error.message[:200]}")

    return check
