"""What the contract allows, checked where it is said: a handler learns of its own mistake."""

import json
import re
from collections.abc import Mapping
from typing import Any

_OWN_TOOL = re.compile(r"[A-Za-z0-9_.-]{1,64}")
_TOOL = re.compile(r"[a-z0-9_-]{1,32}\.[A-Za-z0-9_./-]{1,95}")
_MOST_JSON = 64 * 1024
_MOST_QUESTION = 4096
_MOST_SCHEMA = 16 * 1024
_MOST_STATUS = 256
_MOST_REASON = 512


def own_tool(name: str) -> str:
    """The name of a worker's own tool. Raises ValueError."""
    return _matching(name, _OWN_TOOL, "a tool is named by letters, digits, and _ . -")


def tool(name: str) -> str:
    """The name of a conversation's tool. Raises ValueError."""
    return _matching(name, _TOOL, "a tool of the conversation is named source.tool")


def arguments(given: Mapping[str, Any]) -> str:
    """A call's arguments as JSON. Raises ValueError, TypeError."""
    return _json(given, _MOST_JSON, "a call's arguments")


def schema(given: Mapping[str, Any] | None) -> str:
    """A question's schema as JSON; empty for none. Raises ValueError, TypeError."""
    return "" if given is None else _json(given, _MOST_SCHEMA, "a question's schema")


def question(message: str) -> str:
    """What people are asked. Raises ValueError."""
    if not 0 < len(message.encode()) <= _MOST_QUESTION:
        raise ValueError(f"a question has 1 to {_MOST_QUESTION} bytes")
    return message


def reason(said: str) -> str:
    """Why people are asked. Raises ValueError."""
    if len(said) > _MOST_REASON:
        raise ValueError(f"a reason has at most {_MOST_REASON} characters")
    return said


def status(said: str) -> str:
    """News for people; of what is too long the beginning. Raises ValueError: nothing is said."""
    if not said:
        raise ValueError("progress needs a status")
    said.encode()
    return said[:_MOST_STATUS]


def fraction(done: float | None) -> float | None:
    """How much is done. Raises ValueError."""
    if done is not None and not 0 <= done <= 1:
        raise ValueError("a fraction is between 0 and 1")
    return done


def _matching(name: str, pattern: re.Pattern[str], rule: str) -> str:
    if pattern.fullmatch(name) is None:
        raise ValueError(f"{rule}, not {name!r}")
    return name


def _json(given: Mapping[str, Any], most: int, what: str) -> str:
    encoded = json.dumps(dict(given), ensure_ascii=False, allow_nan=False)
    if len(encoded.encode()) > most:
        raise ValueError(f"{what} are at most {most} bytes of JSON")
    return encoded
