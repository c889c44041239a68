"""What filters look at of a message, and the message with what they leave of that."""

from collections.abc import Mapping, Sequence

from antiphon.context.v1.message_pb2 import Part
from antiphon_server.filters.model import Room

MOST_TEXT = 256 * 1024
MOST_PARTS = 1024 * 1024
"""Bytes of a text, and of all parts as they are serialised, as the contract has it."""
MOST_VALUE = 256
_FRAMING = 8
"""Bytes that a part may take beside its text."""


def texts_of(parts: Sequence[Part], metadata: Mapping[str, str], kind: str = "") -> list[str]:
    """All that filters look at: what parts say, where references lead, the values of metadata.

    The last is what things are called, a line each: its ``kind``, the types of what references
    lead to, the keys of metadata.
    """
    keys = sorted(metadata)
    called = "".join(f"\n{it}" for it in (kind, *map(_media_type, parts), *keys) if it)
    texts = [*map(_text, parts), *(metadata[key] for key in keys)]
    return [*texts, called] if called else texts


def room_of(parts: Sequence[Part], metadata: Mapping[str, str], most: Sequence[int] = ()) -> Room:
    """What may be left of them; ``most``: of the first parts, if less than of any.

    Nothing can be cut out of what things are called.
    """
    each = [*most, *[MOST_TEXT] * (len(parts) - len(most)), *[MOST_VALUE] * len(metadata), 0]
    beside = sum(len(f"{key}\n{it}".encode()) for key, it in metadata.items())
    return Room(each, MOST_PARTS + beside - _FRAMING * len(parts))


def _text(part: Part) -> str:
    kind = part.WhichOneof("content")
    if kind is None:  # a newer server's
        return ""
    return part.text if kind == "text" else str(getattr(part, kind).uri)


def _media_type(part: Part) -> str:
    kind = part.WhichOneof("content")
    return "" if kind in (None, "text") else str(getattr(part, kind or "").media_type)


def with_texts(
    parts: Sequence[Part], metadata: Mapping[str, str], texts: Sequence[str]
) -> tuple[list[Part], dict[str, str]]:
    """The same with other texts; a reference whose address is another becomes what it says."""
    new = [
        part if _text(part) == text else Part(text=text)
        for part, text in zip(parts, texts, strict=False)
    ]
    return new, dict(zip(sorted(metadata), texts[len(parts) :], strict=False))
