"""Values as YAML text that reads back as what they were, also by the rules of YAML 1.2."""

from __future__ import annotations

from typing import Any

from stead.language.document import resolve


def written(value: Any, *, ordered: bool = False) -> str:
    """`ordered`: by keys. What occurs twice is written twice."""
    import yaml

    class TextWriter(yaml.SafeDumper):
        """Quotes what YAML 1.2 would take for something else than text, too."""

        def ignore_aliases(self, _data: Any) -> bool:
            return True

    TextWriter.add_representer(str, _text)
    return yaml.dump(value, Dumper=TextWriter, sort_keys=ordered, allow_unicode=True, width=120)


def _text(writer: Any, text: str) -> Any:
    style = "|" if "\n" in text else None if isinstance(resolve(text), str) else '"'
    return writer.represent_scalar("tag:yaml.org,2002:str", text, style=style)
