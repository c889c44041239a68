"""Bytes as text that needs no quoting in a URL, without padding (RFC 4648, 5; RFC 7515, 2)."""

import base64


def encoded(raw: bytes) -> str:
    """The text of those bytes."""
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def decoded(text: str) -> bytes:
    """The bytes of that text. Raises ValueError for one that is none."""
    return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
