"""Identifiers: a type prefix and 26 characters that sort by time (the ULID layout)."""

import re
import secrets
import time

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
_MADE = re.compile(rf"[a-z]+_01[g-z][{_ALPHABET}]{{23}}")


def new_id(prefix: str) -> str:
    """Return a new id such as ``conv_01j9…``: 48 bits of milliseconds and 80 random bits."""
    value = (time.time_ns() // 1_000_000) << 80 | secrets.randbits(80)
    digits = [_ALPHABET[value >> shift & 31] for shift in range(125, -1, -5)]
    return f"{prefix}_{''.join(digits)}"


def looks_made(text: str) -> bool:
    """Whether an id looks like one of :func:`new_id`, from 2022 to 2039.

    No 26 hexadecimal digits do, which is what clients choose.
    """
    return _MADE.fullmatch(text) is not None
