"""What services answer, in the shape that all tools' results have."""

import base64
from http import HTTPStatus
from math import ceil

import msgspec

from antiphon_server.integration.connections.rest.bodies import is_json
from antiphon_server.integration.tools.model import Json, PartKind, Result, ResultPart
from antiphon_server.runtime.net.retry_after import seconds_of

LARGEST_CHECKED = 1024 * 1024
"""Bytes of an answer that are compared with its schema."""
_TEXTS = ("", "application/xml", "application/yaml", "application/x-www-form-urlencoded")
_CHARSETS = frozenset(
    {"us-ascii", "ascii", "utf-16", "utf-16le", "utf-16be", "latin1", "koi8-r", "koi8-u", "big5"}
    | {"shift_jis", "gb2312", "gbk", "gb18030", "euc-jp", "euc-kr"}
    | {f"windows-{page}" for page in range(1250, 1259)}
    | {f"iso-8859-{part}" for part in (*range(1, 12), *range(13, 17))}
)
"""Those beside UTF-8 that texts are in. Of Python's others one takes a day for a long text, some
decode to what is no text, and some raise whatever is to be replaced."""


def result(
    status: int,
    media_type: str,
    charset: str,
    body: bytes,
    *,
    promised: bool,
    retry_after: str = "",
) -> Result:
    """The result; from 400 on, and where a redirect was not followed, it begins with the status.

    ``promised`` says that the tool has an output schema; ``retry_after`` is that header.
    """
    failed, kind = status >= 400, media_type.partition(";")[0].strip().lower()
    parts = (_part(kind, charset, body),) if body else ()
    if status >= 300 or not parts:
        parts = (ResultPart("text", _said(status, retry_after)), *parts)
    wanted = promised and not failed and is_json(kind) and len(body) <= LARGEST_CHECKED
    structured = _decoded(body) if wanted else None
    return Result(parts, structured, failed, http_status=status if failed else 0)


def _said(status: int, retry_after: str) -> str:
    try:
        said = f"HTTP {status} {HTTPStatus(status).phrase}"
    except ValueError:
        said = f"HTTP {status}"
    seconds = seconds_of(retry_after)
    return said if seconds is None else f"{said}; to be tried again in {ceil(seconds)} s"


def _part(kind: str, charset: str, body: bytes) -> ResultPart:
    if is_json(kind) or kind.startswith("text/") or kind.endswith("+xml") or kind in _TEXTS:
        return ResultPart("text", _text(body, charset))
    found: PartKind = "file"
    if kind.startswith("image/"):
        found = "image"
    elif kind.startswith("audio/"):
        found = "audio"
    return ResultPart(found, f"data:{kind};base64,{base64.b64encode(body).decode()}", kind)


def _text(body: bytes, charset: str) -> str:
    known = charset.strip().lower()
    return body.decode(known if known in _CHARSETS else "utf-8", errors="replace")


def _decoded(body: bytes) -> Json:
    try:
        found: Json = msgspec.json.decode(body)
    except (ValueError, RecursionError):
        return None
    return found
