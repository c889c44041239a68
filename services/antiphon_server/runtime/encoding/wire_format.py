"""Protobuf's wire format, as far as hot paths put messages together themselves.

See https://protobuf.dev/programming-guides/encoding/.
"""

_LENGTH_DELIMITED = 2
_SMALL = [bytes((value,)) for value in range(128)]


def varint(value: int) -> bytes:
    """A number that is not negative."""
    if value < 128:
        return _SMALL[value]
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    out.append(value)
    return bytes(out)


def sized(content: bytes) -> bytes:
    """A string's, bytes' or a message's content behind its length."""
    return varint(len(content)) + content


def sized_tag(number: int) -> bytes:
    """What comes before a string, bytes or a message in the field ``number``."""
    return varint(number << 3 | _LENGTH_DELIMITED)
