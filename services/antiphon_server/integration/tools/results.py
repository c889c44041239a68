"""Results of tools, as long as events and models can bear; what is longer is kept beside."""

import base64
import binascii
import re
from collections.abc import Sequence
from dataclasses import replace
from itertools import groupby

from antiphon_server.integration.tools.model import KeptPart, Result, ResultPart, ToolCallId
from antiphon_server.runtime.encoding import visible

MAX_TEXT_BYTES = 64 * 1024
MAX_PARTS = 30
"""A note of the result's own fits beside them."""
MAX_URI = 2048
ANY_TYPE = "application/octet-stream"
_DATA = re.compile(r"data:[^,]*;base64,")
_TYPE = re.compile(r"[A-Za-z0-9.+-]{1,40}/[A-Za-z0-9.+-]{1,80}")


def written(result: Result) -> Result:
    """The same result in characters that can be written: half a surrogate is a "?"."""
    parts = (replace(it, content=visible.written(it.content)) for it in result.parts)
    return replace(result, parts=tuple(parts))


def joined(result: Result) -> Result:
    """The same result; if it has too many parts, texts that follow one another are one."""
    if len(result.parts) <= MAX_PARTS:
        return result
    parts: list[ResultPart] = []
    for is_text, group in groupby(result.parts, key=lambda it: it.kind == "text"):
        its = list(group)
        parts += [ResultPart("text", "\n".join(it.content for it in its))] if is_text else its
    return replace(result, parts=tuple(parts))


def whole(result: Result) -> Sequence[KeptPart]:
    """All of a result that events can't hold; nothing of one that they can."""
    small = bounded(result)
    if not small.omitted_bytes and small.parts == result.parts:
        return ()
    return [_kept(part) for part in result.parts[:MAX_PARTS]]


def bounded(result: Result, kept_as: ToolCallId | None = None) -> Result:
    """The beginning of the result: 64 KiB of text, 30 parts; the rest is counted.

    Data is not in it: there is a reference if the result is kept, as that of the call ``kept_as``.
    """
    parts: list[ResultPart] = []
    room, omitted = MAX_TEXT_BYTES, result.omitted_bytes
    for at, part in enumerate(result.parts):
        size = len(part.content.encode())
        if at < MAX_PARTS and part.kind != "text" and kept_as and _is_data(part):
            parts.append(ResultPart(part.kind, f"antiphon:{kept_as}/{at}", media_type(part)))
            continue
        if at >= MAX_PARTS or (part.kind != "text" and (size > MAX_URI or _is_data(part))):
            omitted += size
            continue
        if part.kind == "text":
            part = replace(part, content=_beginning(part.content, room))
            left = len(part.content.encode())
            omitted += size - left
            room -= left
        if part.content:
            parts.append(part)
    return replace(result, parts=tuple(parts), omitted_bytes=omitted, kept=kept_as is not None)


def media_type(part: ResultPart) -> str:
    """What a tool says its data is, where that is a type at all."""
    return part.media_type if _TYPE.fullmatch(part.media_type) else ANY_TYPE


def _is_data(part: ResultPart) -> bool:
    return part.content[:5].lower() == "data:"


def _kept(part: ResultPart) -> KeptPart:
    if part.kind == "text":
        return KeptPart("text", "text/plain", part.content.encode())
    if not _is_data(part):  # a link, which is short
        return KeptPart(part.kind, "text/uri-list", part.content.encode())
    begin = _DATA.match(part.content)
    try:
        data = base64.b64decode(part.content[begin.end() :]) if begin else b""
    except (binascii.Error, ValueError):
        data = b""
    return KeptPart(part.kind, media_type(part), data)


def _beginning(text: str, size: int) -> str:
    """As many of the first characters as ``size`` bytes of UTF-8 hold."""
    encoded = text.encode()
    return text if len(encoded) <= size else encoded[:size].decode(errors="ignore")
