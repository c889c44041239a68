"""Paths that lead out of the address that they stand below."""

from urllib.parse import unquote

_DECODINGS = 3


def leads_away(path: str) -> bool:
    """Whether some reader could take a part of it for the way up.

    Services and the proxies before them decode a path more than once, and some take ``..;`` for it.
    """
    for _ in range(_DECODINGS):
        parts = path.replace("\\", "/").split("/")
        if any(it.partition(";")[0].strip() in (".", "..") for it in parts):
            return True
        path = unquote(path)
    return False
