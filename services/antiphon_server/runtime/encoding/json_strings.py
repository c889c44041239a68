"""The strings of JSON texts."""

import json
from collections.abc import Callable
from typing import Any


def with_strings(text: str, changed: Callable[[str], str]) -> str:
    """A JSON text with each string, and each key, as ``changed`` returns it.

    As it was, to the byte, if none is another. Raises ValueError for what is no JSON.
    """
    said = json.loads(text)
    after = _with(said, changed)
    return text if after == said else json.dumps(after, ensure_ascii=False)


def _with(value: Any, changed: Callable[[str], str]) -> Any:
    match value:
        case str():
            return changed(value)
        case list():
            return [_with(it, changed) for it in value]
        case dict():
            return {changed(key): _with(it, changed) for key, it in value.items()}
        case _:
            return value
