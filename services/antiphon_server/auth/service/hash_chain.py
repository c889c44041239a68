"""How events are tied to one another, so that none can be changed, left out or moved.

Each hash covers the event and the hash before it. What a signed tree head is in RFC 9162,
section 4.10, a signed last hash is here: one number that stands for the whole history. A
chain proves less quickly than a tree that one event is in it, but nobody asks that of a few
million events, and a chain is checked by reading a file once.
"""

import hashlib


def chained(previous_hash: bytes, body: bytes) -> bytes:
    """The hash of an event behind ``previous_hash``, whose length is always 32 bytes."""
    return hashlib.sha256(previous_hash + body).digest()
