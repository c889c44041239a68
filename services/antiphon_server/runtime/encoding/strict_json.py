"""JSON as RFC 8259 has it. Python's reader also takes what no other reader does."""

import json
from collections.abc import Callable
from math import isfinite
from typing import Any

Pairs = list[tuple[str, Any]]


def loads(text: str, members: Callable[[Pairs], Any] = dict) -> Any:
    """The value; ``members`` makes objects of their members.

    Raises ValueError for what is no JSON, which NaN and numbers beyond all floats are, too; and
    RecursionError for what is too deep.
    """
    return json.loads(text, object_pairs_hook=members, parse_constant=_refused, parse_float=_finite)


def is_writable(value: Any) -> bool:
    """Whether it can be written as UTF-8: it has no half of a surrogate pair."""
    try:
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return False
    return True


def _refused(name: str) -> float:
    raise ValueError(name)


def _finite(text: str) -> float:
    value = float(text)
    return value if isfinite(value) else _refused(text)
