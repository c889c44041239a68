"""Results of tools, as long as events and models can bear."""

from dataclasses import replace

from antiphon_server.integration.tools.model import Result, ResultPart

MAX_TEXT_BYTES = 64 * 1024
MAX_PARTS = 30
"""A note of the result's own fits beside them."""
MAX_URI = 2048


def bounded(result: Result) -> Result:
    """The beginning of the result: 64 KiB of text, 30 parts; the rest is counted."""
    kept: list[ResultPart] = []
    room, omitted = MAX_TEXT_BYTES, result.omitted_bytes
    for part in result.parts:
        size = len(part.content.encode())
        if len(kept) == MAX_PARTS or (part.kind != "text" and size > MAX_URI):
            omitted += size
            continue
        if part.kind == "text":
            part = replace(part, content=_beginning(part.content, room))
            left = len(part.content.encode())
            omitted += size - left
            room -= left
        if part.content:
            kept.append(part)
    return replace(result, parts=tuple(kept), omitted_bytes=omitted)


def _beginning(text: str, size: int) -> str:
    """As many of the first characters as ``size`` bytes of UTF-8 hold."""
    encoded = text.encode()
    return text if len(encoded) <= size else encoded[:size].decode(errors="ignore")
